package root

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// archives is the directory of a new root with the packages that dpkg installs there.
const archives = "/var/cache/halfopen"

// bootstrap writes the root in which dpkg installs Debian's packages where nothing lies below:
// the files of the essential packages, unpacked, and the archives of all. dpkg-deb needs no
// root, and owners are kept.
func bootstrap(to io.Writer, plan *debian.Installation) error {
	archive := tar.NewWriter(to)
	for _, name := range merged {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "usr" + name + "/", Mode: 0o755}); err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: relative(name), Linkname: "usr" + name, Mode: 0o777}); err != nil {
			return err
		}
	}
	for _, all := range []struct {
		steps []debian.Step
		add   func(*tar.Writer, string) error
	}{{plan.Base, copyContents}, {plan.Steps, copyArchive}} {
		for _, step := range all.steps {
			files, err := step.Archives()
			if err != nil {
				return err
			}
			for _, file := range files {
				if err := all.add(archive, file); err != nil {
					return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
				}
			}
		}
	}
	return archive.Close()
}

// copyContents adds the files of a package.
func copyContents(to *tar.Writer, file string) (err error) {
	cmd := exec.Command("dpkg-deb", "--fsys-tarfile", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _, _ = io.Copy(io.Discard, out); err = errors.Join(err, cmd.Wait()) }()
	from := tar.NewReader(out)
	for {
		h, err := from.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean("/" + h.Name)
		if isMerged(name) {
			continue // a link into /usr
		}
		h.Name = relative(inUsr(name))
		if h.Typeflag == tar.TypeLink {
			h.Linkname = relative(inUsr(path.Clean("/" + h.Linkname)))
		}
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		if err := to.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(to, from); err != nil {
			return err
		}
	}
}

func isMerged(name string) bool {
	for _, directory := range merged {
		if name == directory {
			return true
		}
	}
	return false
}

// copyArchive adds the archive of a package.
func copyArchive(to *tar.Writer, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: relative(path.Join(archives, filepath.Base(file))), Mode: 0o644, Size: int64(len(content))}
	if err := to.WriteHeader(h); err != nil {
		return err
	}
	_, err = to.Write(content)
	return err
}

// bootstrapScript returns the shell script that installs the packages in their new root: first
// the essential ones, which need each other, and then all, in apt's order.
func bootstrapScript(plan *debian.Installation) (string, error) {
	var s strings.Builder
	s.WriteString("mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates\n: >>/var/lib/dpkg/status\n: >>/var/lib/dpkg/available\n" + preparation)
	var all []string
	for _, step := range plan.Base {
		files, err := unpacked(step)
		if err != nil {
			return "", err
		}
		all = append(all, files...)
	}
	fmt.Fprintf(&s, "$dpkg --force-depends --install %s\n", quoted(all))
	for _, step := range plan.Steps {
		files, err := unpacked(step)
		if err != nil {
			return "", err
		}
		if len(files) > 0 { // what cannot be configured yet is later
			fmt.Fprintf(&s, "$dpkg --force-depends --skip-same-version --unpack %s\n$dpkg --configure --pending || true\n", quoted(files))
		}
	}
	s.WriteString("$dpkg --configure --pending\ntest -z \"$policy\" || rm $policy\nrm -r " + archives + "\n")
	return s.String(), nil
}

// unpacked returns the files of the archives of a step, in the new root.
func unpacked(step debian.Step) (files []string, err error) {
	names, err := step.Archives()
	for _, name := range names {
		files = append(files, path.Join(archives, filepath.Base(name)))
	}
	return files, err
}

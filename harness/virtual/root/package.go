package root

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// AddPackage puts a Debian package and its dependencies into the guest, without their
// documentation. Of the work that their installation scripts do it does what it recognises:
// users, links with fixed names, directories of services. A name may have a version:
// "nginx=1.22.1-9". A package that is not in the cache is fetched, which may take minutes,
// until ctx ends.
func (s *FileSystem) AddPackage(ctx context.Context, name string) error {
	tree, err := debian.Unpacked(ctx, name)
	if err != nil {
		return err
	}
	s.packages = append(s.packages, unpacked{tree, version(tree, name)})
	if err := s.Files.CopyTree(tree, documentation); err != nil {
		return err
	}
	if err := s.emptyDirectories(tree); err != nil {
		return err
	}
	scripts, err := filepath.Glob(filepath.Join(tree, "var/lib/dpkg/info/*.postinst"))
	if err != nil {
		return err
	}
	for _, script := range scripts {
		content, err := os.ReadFile(script)
		if err != nil {
			return err
		}
		s.runScript(string(content))
	}
	return s.runtimeDirectories(tree)
}

// version returns the name of an unpacked package with its version, as in
// "nginx 1.22.1-9".
func version(tree, name string) string {
	name, _, _ = strings.Cut(name, "=")
	content, err := os.ReadFile(filepath.Join(tree, "var/lib/dpkg/versions"))
	if err != nil {
		return name // an older program has fetched it
	}
	for entry := range strings.Lines(string(content)) {
		if strings.HasPrefix(entry, name+" ") {
			return strings.TrimSpace(entry)
		}
	}
	return name
}

// documentation reports whether no program reads a file: every file takes memory of the
// guest.
func documentation(name string) bool {
	for _, prefix := range []string{"/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian",
		"/usr/share/bash-completion", "/usr/share/pixmaps", "/usr/share/icons", "/usr/share/apport", "/usr/share/bug", "/usr/share/perl", "/usr/share/perl5", "/usr/lib/x86_64-linux-gnu/perl",
		"/usr/lib/x86_64-linux-gnu/perl-base", "/usr/lib/x86_64-linux-gnu/gconv", "/var/lib/dpkg"} {
		if within(name, prefix) {
			return true
		}
	}
	return strings.HasPrefix(name, "/usr/lib/locale/") && !within(name, locale)
}

// within reports whether a path is a directory's own or below it.
func within(name, directory string) bool {
	return name == directory || strings.HasPrefix(name, directory+"/")
}

// emptyDirectories makes the directories of a package that have no file in them.
func (s *FileSystem) emptyDirectories(tree string) error {
	return filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		relative, _ := filepath.Rel(tree, path)
		if documentation("/" + relative) {
			return fs.SkipDir
		}
		files, err := os.ReadDir(path)
		if err != nil || len(files) > 0 {
			return err
		}
		s.Files.Directory("/"+relative, 0o755)
		return nil
	})
}

var (
	// systemUser matches a line that adds a user (adduser(8), useradd(8)): the last word
	// is the name.
	systemUser = regexp.MustCompile(`(?m)^\s*(?:if ! )?(?:adduser|useradd)\s.*--system.*?\s([a-z_][a-z0-9_-]*)\s*(?:\|\|.*|;.*|>.*)?$`)
	// fixedLink matches a line that makes a link with fixed names.
	fixedLink = regexp.MustCompile(`(?m)^\s*ln -sf?\s+(/[\w./-]+)\s+(/[\w./-]+)\s*$`)
)

// runScript does what it recognises in a package's installation script.
func (s *FileSystem) runScript(script string) {
	for _, match := range systemUser.FindAllStringSubmatch(script, -1) {
		s.users.add(match[1])
	}
	for _, match := range fixedLink.FindAllStringSubmatch(script, -1) {
		s.Files.Link(match[2], match[1])
	}
}

// runtimeDirectories makes the directories below /run that systemd makes for a service
// (systemd.exec(5), RuntimeDirectory=).
func (s *FileSystem) runtimeDirectories(tree string) error {
	units, err := filepath.Glob(filepath.Join(tree, "usr/lib/systemd/system/*.service"))
	if err != nil {
		return err
	}
	for _, unit := range units {
		content, err := os.ReadFile(unit)
		if err != nil {
			return fmt.Errorf("reading %s: %w", unit, err)
		}
		for entry := range strings.Lines(string(content)) {
			if names, ok := strings.CutPrefix(strings.TrimSpace(entry), "RuntimeDirectory="); ok {
				for name := range strings.FieldsSeq(names) {
					s.Files.Directory("/run/"+name, 0o755)
				}
			}
		}
	}
	return nil
}

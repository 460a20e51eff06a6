package guest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sandbox is a directory for a root, with a file and a directory beside it that must stay as
// they are.
type sandbox struct{ above, root string }

func newSandbox(t testing.TB) sandbox {
	t.Helper()
	above := t.TempDir()
	s := sandbox{above, filepath.Join(above, "root")}
	for _, directory := range []string{s.root, filepath.Join(above, "beside")} {
		if err := os.Mkdir(directory, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(above, "beside", "file"), []byte("as it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// check fails if anything has changed beside the root.
func (s sandbox) check(t testing.TB) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(s.above, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == s.above {
			return err
		}
		if file == s.root {
			return fs.SkipDir
		}
		info, err := entry.Info()
		got = append(got, fmt.Sprint(strings.TrimPrefix(file, s.above), " ", info.Mode()))
		return err
	})
	content, failed := os.ReadFile(filepath.Join(s.above, "beside", "file"))
	if want := "[/beside drwxr-xr-x /beside/file -rw-r--r--]"; err != nil || failed != nil || fmt.Sprint(got) != want || string(content) != "as it was" {
		t.Errorf("beside the root there is %v %q, %v, %v", got, content, err, failed)
	}
}

// A layer comes from an image or from the cache, and says what it likes.
func FuzzLayer(f *testing.F) {
	archive := func(headers ...tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if err := w.WriteHeader(&h); err != nil {
				f.Fatal(err)
			}
			if _, err := w.Write(make([]byte, h.Size)); err != nil {
				f.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	uid, gid := os.Getuid(), os.Getgid()
	directory := tar.Header{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o755, Uid: uid, Gid: gid}
	file := tar.Header{Typeflag: tar.TypeReg, Name: "d/f", Mode: 0o644, Size: 3, Uid: uid, Gid: gid}
	up := tar.Header{Typeflag: tar.TypeSymlink, Name: "up", Linkname: "../beside", Uid: uid, Gid: gid}
	f.Add(archive(directory, file))
	f.Add(archive(up, tar.Header{Typeflag: tar.TypeReg, Name: "up/file", Size: 1, Uid: uid, Gid: gid}))
	f.Add(archive(up, tar.Header{Typeflag: tar.TypeDir, Name: "up/", Mode: 0o700, Uid: uid, Gid: gid}))
	f.Add(archive(up, tar.Header{Typeflag: tar.TypeLink, Name: "hard", Linkname: "up/file"}))
	f.Add(archive(tar.Header{Typeflag: tar.TypeReg, Name: "../beside/file", Size: 1, Uid: uid, Gid: gid}))
	f.Add(archive(tar.Header{Typeflag: tar.TypeSymlink, Name: "a", Linkname: "b", Uid: uid, Gid: gid}, tar.Header{Typeflag: tar.TypeSymlink, Name: "b", Linkname: "a", Uid: uid, Gid: gid}, tar.Header{Typeflag: tar.TypeReg, Name: "a/x", Uid: uid, Gid: gid}))
	f.Add(archive(tar.Header{Typeflag: tar.TypeReg, Name: "x", Uid: uid, Gid: gid, PAXRecords: map[string]string{attribute + "user.a": "b"}}))
	f.Fuzz(func(t *testing.T, layer []byte) {
		s := newSandbox(t)
		_ = unpackLayer(bytes.NewReader(layer), s.root, "")
		s.check(t)
	})
}

// A unit or a file of tmpfiles.d is of a package, or of the machine: it makes directories below
// /run, and nothing else, wherever links lead.
func FuzzServices(f *testing.F) {
	f.Add("[Service]\nUser=me\nRuntimeDirectory=a b/c\nRuntimeDirectoryMode=0750\n", "d /run/x 0755 me me - -\n")
	f.Add("[Service]\nRuntimeDirectory=../../beside\nRuntimeDirectoryMode=0700\n", "d /run/../../beside 0700\nD /run/../beside - - -\n")
	f.Add("RuntimeDirectory=link\n", "d /run/link 0777")
	f.Add("RuntimeDirectory=link/x\n", "d /run/link/y 0777 0 0\nd /var/run/z\n")
	f.Add("RuntimeDirectoryMode=99999999999\nRuntimeDirectory=%i \x00\n", "d")
	f.Fuzz(func(t *testing.T, unit, temporary string) {
		s := newSandbox(t)
		write := func(name, content string) {
			file := filepath.Join(s.root, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("etc/passwd", fmt.Sprintf("root:x:%[1]d:%[2]d::/:/bin/sh\nme:x:%[1]d:%[2]d::/:/bin/sh\n", os.Getuid(), os.Getgid()))
		write("etc/group", fmt.Sprintf("root:x:%[1]d:\nme:x:%[1]d:\n", os.Getgid()))
		write("usr/lib/tmpfiles.d/a.conf", temporary)
		if err := os.Mkdir(filepath.Join(s.root, "run"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(s.above, "beside"), filepath.Join(s.root, "run", "link")); err != nil {
			t.Fatal(err)
		}
		// ExecStartPre= is run below a chroot(2), which a test need not be able to do.
		write("usr/lib/systemd/system/a.service", strings.ReplaceAll(unit, "ExecStartPre", "Ignored"))
		_ = makeServiceDirectories(s.root)
		s.check(t)
		entries, err := os.ReadDir(s.root)
		if err != nil || len(entries) != 3 {
			t.Errorf("the root has %v, %v", entries, err)
		}
	})
}

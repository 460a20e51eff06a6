package virtual

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// tree is a directory with a file and a link, made in the order of names or not.
func tree(t *testing.T, at time.Time, names ...string) *Files {
	t.Helper()
	directory := t.TempDir()
	for _, name := range names {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	files := &Files{}
	files.Link("/usr/bin/sh", "dash")
	if err := files.CopyTree(directory, func(name string) bool { return name == "/unneeded" }); err != nil {
		t.Fatal(err)
	}
	return files
}

func archived(t *testing.T, files *Files) []byte {
	t.Helper()
	var archive bytes.Buffer
	if err := files.archive(&archive); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func TestTheSameFilesGiveTheSameBytes(t *testing.T) {
	first, second := archived(t, tree(t, time.Unix(1, 0), "a", "b")), archived(t, tree(t, time.Unix(1e9, 0), "b", "a"))
	if !bytes.Equal(first, second) {
		t.Error("two file systems with the same files differ")
	}
	if !bytes.Contains(first, []byte("usr/bin/sh\x00")) {
		t.Error("the link is not in the archive")
	}
}

func TestWhatIsUnneededIsLeftOut(t *testing.T) {
	archive := archived(t, tree(t, time.Unix(1, 0), "needed", "unneeded"))
	if bytes.Contains(archive, []byte("unneeded")) {
		t.Error("the file that is not needed is in the archive")
	}
}

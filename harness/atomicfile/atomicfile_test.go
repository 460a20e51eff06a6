package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
)

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func names(t *testing.T, directory string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAFileIsReplacedAsAWhole(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "answer.json")
	for _, content := range []string{"the first", "second"} {
		if err := atomicfile.WriteFile(file, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		if got := read(t, file); got != content {
			t.Errorf("the file has %q, expected %q", got, content)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if all := names(t, directory); len(all) != 1 {
		t.Errorf("the directory has %q", all)
	}
}

func TestAFileThatCannotBeCompletedStaysAsItWas(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "answer.json")
	if err := atomicfile.WriteFile(file, []byte("whole"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := atomicfile.Write(file, 0o644, func(f *os.File) error {
		if got := read(t, file); got != "whole" {
			t.Errorf("while it is written the file has %q", got)
		}
		_, err := f.WriteString("ha")
		return errors.Join(err, unix.ENOSPC)
	})
	if !errors.Is(err, unix.ENOSPC) || !strings.HasPrefix(err.Error(), "writing "+file+": ") {
		t.Errorf("writing it: %v", err)
	}
	if got := read(t, file); got != "whole" {
		t.Errorf("the file has %q", got)
	}
	if all := names(t, directory); len(all) != 1 {
		t.Errorf("the directory has %q", all)
	}
}

func TestALinkStaysOne(t *testing.T) {
	directory := t.TempDir()
	file, link := filepath.Join(directory, "file"), filepath.Join(directory, "link")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.WriteFile(link, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "file" || read(t, file) != "new" {
		t.Errorf("the link leads to %q, %v, where %q is", target, err, read(t, file))
	}
	if err := atomicfile.WriteFile("/dev/null", []byte("x"), 0o644); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/null is %v, %v", info.Mode(), err)
	}
}

func TestTheDeadLeaveNothing(t *testing.T) {
	directory := t.TempDir()
	alive, err := atomicfile.Create(directory)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(directory, atomicfile.Prefix+"1")
	novel := filepath.Join(directory, "unfinished-novel")
	for _, file := range []string{dead, novel} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.WriteFile(filepath.Join(directory, "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{alive.Name(): true, dead: false, novel: true} {
		if _, err := os.Stat(file); (err == nil) != want {
			t.Errorf("%s is there: %t, expected %t", file, err == nil, want)
		}
	}
	if err := alive.Close(); err != nil {
		t.Error(err)
	}
}

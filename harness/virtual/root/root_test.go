package root

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// write writes a file of this machine and returns its path.
func write(t *testing.T, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAddProgramBringsTheLibrariesAndTheLoader(t *testing.T) {
	files := &virtual.Files{}
	if err := AddProgram(files, "/suites/my.test", "/bin/cat"); err != nil {
		t.Fatal(err)
	}
	names := files.Names()
	for _, want := range []string{"suites/my.test", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib64/ld-linux-x86-64.so.2", "lib64", "lib"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not in the guest: %q", want, names)
		}
	}
}

func TestAddProgramBringsTheInterpreterOfAScript(t *testing.T) {
	for _, first := range []string{"#!/bin/cat -u", "#!/usr/bin/env cat", "#!/usr/bin/env -S X=1 cat"} {
		files := &virtual.Files{}
		if err := AddProgram(files, "/script", write(t, "script", first+"\n", 0o755)); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(files.Names(), "usr/bin/cat") {
			t.Errorf("%s: cat is not in the guest: %q", first, files.Names())
		}
	}
}

func TestAddProgramLeavesTheGuestsInterpreterAlone(t *testing.T) {
	for first, guests := range map[string]string{"#!/bin/cat\n": "/usr/bin/cat", "#!/usr/bin/env no-such-program\n": "/usr/local/bin/no-such-program"} {
		files := &virtual.Files{}
		files.Write(guests, []byte("the guest's own"), 0o755)
		if err := AddProgram(files, "/script", write(t, "script", first, 0o755)); err != nil {
			t.Error(err)
		}
		if slices.Contains(files.Names(), "usr/lib/x86_64-linux-gnu/libc.so.6") && first == "#!/bin/cat\n" {
			t.Error("this machine's cat came along")
		}
	}
}

func TestACommandThatCannotBeAddedSaysWhy(t *testing.T) {
	for command, want := range map[string]string{
		"no-such-program-anywhere":                                         "no-such-program-anywhere is not on this machine",
		write(t, "plain", "x", 0o644):                                      "is not executable",
		write(t, "script", "#!/usr/bin/env no-such-interpreter\n", 0o755):  "is interpreted by no-such-interpreter, which is neither in the guest nor on this machine",
		write(t, "other-script", "#!/opt/no-such-interpreter -x\n", 0o755): "is interpreted by /opt/no-such-interpreter",
	} {
		_, err := empty().AddCommand(command)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected %q on one line", command, err, want)
		}
	}
}

func TestTakeSaysWhatIsWrong(t *testing.T) {
	for what, want := range map[string]string{"/no/such": "taking /no/such along: no such file", t.TempDir() + ":relative": "must begin with /"} {
		if err := empty().Take(what); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", what, err, want)
		}
	}
}

func TestACommandBringsItsProgramAndTheFilesThatItNames(t *testing.T) {
	directory := t.TempDir()
	t.Chdir(directory)
	for _, name := range []string{"my.conf", "absolute.conf"} {
		if err := os.WriteFile(name, []byte("this machine's"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := empty()
	c, err := s.AddCommand("cat --conf=my.conf " + directory + "/absolute.conf /proc/version 8080")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Join(s.Files.Names(), " ")
	for _, want := range []string{"bin/cat", "libc.so.6", "ld-linux", "/my.conf", "/absolute.conf"} {
		if !strings.Contains(names, want) {
			t.Errorf("%s is not in the guest: %s", want, names)
		}
	}
	if strings.Contains(names, "proc/version") {
		t.Error("a file of this machine's kernel was taken along")
	}
	if !filepath.IsAbs(c.Arguments[0]) || c.Directory != directory {
		t.Errorf("the command is %+v", c)
	}
}

func TestAnArgumentDoesNotReplaceAFileOfTheGuest(t *testing.T) {
	path := write(t, "server.conf", "this machine's", 0o644)
	s := empty()
	s.Files.Write(path, []byte("the package's own"), 0o644)
	if err := s.addArgument(path); err != nil || s.Files.Size() != int64(len("the package's own")) {
		t.Errorf("it was replaced (%v)", err)
	}
}

func TestSplitCommandReadsQuotes(t *testing.T) {
	words, err := SplitCommand(`nginx -g 'daemon off;' -c "my file" a\ b`)
	if want := []string{"nginx", "-g", "daemon off;", "-c", "my file", "a b"}; err != nil || !slices.Equal(words, want) {
		t.Errorf("%q, %v, expected %q", words, err, want)
	}
	for _, text := range []string{"", "  ", "x 'y", `x "y`, `x \`} {
		if words, err := SplitCommand(text); err == nil {
			t.Errorf("%q gives %q, expected an error", text, words)
		}
	}
}

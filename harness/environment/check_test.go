package environment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

func TestCheckNamesTheVariableAndTheRemedy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := environment.Check(); err != nil {
		t.Fatalf("as it is: %v", err)
	}
	for _, c := range []struct{ name, value, want string }{
		{"TMPDIR", "/nosuch", "there is no directory /nosuch for temporary files: set TMPDIR"},
		{"TMPDIR", file, "set TMPDIR to another"},
		{"XDG_CACHE_HOME", "relative", "XDG_CACHE_HOME is \"relative\", which is not an absolute path"},
		{"XDG_CACHE_HOME", file, file + " is not a directory: set HOME or XDG_CACHE_HOME"},
		{"XDG_CACHE_HOME", filepath.Join(file, "deep"), file + " is not a directory: set HOME or XDG_CACHE_HOME"},
		{"TMPDIR", "relative", `TMPDIR is "relative", which is not an absolute path`},
		{"TMPDIR", "/proc/self", "making a file in /proc/self, the directory for temporary files: "},
		{"XDG_CACHE_HOME", filepath.Join(filepath.Dir(file), "two\nlines"), "which has a character that cannot be printed: name another directory"},
		{"XDG_CACHE_HOME", filepath.Join(filepath.Dir(file), "\xff"), "which has a character that cannot be printed"},
		{environment.Private, "1", "HALFOPEN_PRIVATE is set, which is for halfopen's own processes alone: unset it"},
		{environment.VirtualTime, "1", "HALFOPEN_VIRTUAL_TIME is set"},
		{environment.Report, file, "is not a directory"},
		{environment.LeaveOut, "fault", `write a kind of step and its number, as in "fault 1"`},
		{environment.LeaveOut, "fault 0", "unset it"},
		{environment.KernelURL, "ftp://x", "is no address of http or https"},
		{environment.KernelURL, "http://", "is no address of http or https"},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			if err := environment.Check(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, expected one line with %q", err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, value string }{
		{environment.Report, filepath.Join(filepath.Dir(file), "new")}, {environment.LeaveOut, "detector 12"}, {environment.KernelURL, "https://example.com/kernels"},
		{"XDG_CACHE_HOME", filepath.Join(filepath.Dir(file), "not", "made", "yet")},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			if err := environment.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

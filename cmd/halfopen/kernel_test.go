package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kernelTools gives this process a home of its own, and tools that build a kernel in no
// time.
func kernelTools(t *testing.T) (cache string) {
	t.Helper()
	tools, err := filepath.Abs("../../harness/virtual/kernel/testdata/tools")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HALFOPEN_KERNEL_URL", "")
	t.Setenv("PATH", tools+":/usr/bin:/bin")
	return filepath.Join(home, ".cache", "halfopen", "kernel")
}

func TestAKernelIsBuiltListedAndNamed(t *testing.T) {
	cache := kernelTools(t)
	if status, out, _ := shell(t, "kernel", "list"); status != kept || out != "there is none: 'halfopen kernel build' builds one\n" {
		t.Errorf("an empty cache: status %d, %q", status, out)
	}
	status, out, progress := shell(t, "kernel", "build")
	if status != kept || !strings.HasPrefix(out, "Linux 6.12.1 (6.12.1-1): "+cache+"/linux-6.12.1-1-") || !strings.Contains(progress, "kernel: compiling") {
		t.Errorf("status %d, %q, %q", status, out, progress)
	}
	_, file, _ := strings.Cut(strings.TrimSpace(out), ": ")
	if status, out, stderr := shell(t, "kernel", "path"); status != kept || out != file+"\n" {
		t.Errorf("path: status %d, %q%s, expected %s", status, out, stderr, file)
	}
	_, out, _ = shell(t, "kernel", "list")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 || strings.Join(strings.Fields(lines[0]), " ") != "source package size made in used file" ||
		!strings.HasPrefix(strings.Join(strings.Fields(lines[1]), " "), "6.12 6.12.1-1 0.") ||
		!strings.HasSuffix(strings.Join(strings.Fields(lines[1]), " "), "s yes "+file) {
		t.Errorf("listed:\n%s", out)
	}
	_, out, _ = shell(t, "kernel", "list", "--json")
	var all []struct {
		File    string `json:"file"`
		Release string `json:"release"`
		Used    bool   `json:"used"`
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 1 || all[0].File != file || all[0].Release != "6.12.1" || !all[0].Used {
		t.Errorf("%v, %s", err, out)
	}
}

func TestAnUpdatedKernelIsTheOneThatIsUsed(t *testing.T) {
	kernelTools(t)
	shell(t, "kernel", "build")
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "version"), []byte("6.12.2-1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := shell(t, "kernel", "build"); !strings.Contains(out, "(6.12.1-1)") {
		t.Errorf("without --update: %s", out)
	}
	if _, out, _ := shell(t, "kernel", "build", "--update"); !strings.Contains(out, "(6.12.2-1)") {
		t.Errorf("with --update: %s", out)
	}
	_, out, _ := shell(t, "kernel", "list")
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "6.12") && strings.Contains(line, "  yes  ") != strings.Contains(line, "6.12.2-1") {
			t.Errorf("listed:\n%s", out)
		}
	}
}

func TestADamagedKernelIsListedWithItsRemedy(t *testing.T) {
	kernelTools(t)
	_, out, _ := shell(t, "kernel", "build")
	_, file, _ := strings.Cut(strings.TrimSpace(out), ": ")
	if err := os.Truncate(file, 3); err != nil {
		t.Fatal(err)
	}
	want := "the kernel " + file + " is damaged (3 bytes of "
	if status, out, stderr := shell(t, "kernel", "list"); status != kept || !strings.Contains(out, "\n\n"+want) || !strings.Contains(out, "  no  ") {
		t.Errorf("list: status %d\n%s%s", status, out, stderr)
	}
	for _, command := range []string{"path", "build"} {
		if status, _, stderr := shell(t, "kernel", command); status != notMeasured || !strings.HasPrefix(stderr, "halfopen: "+want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %s", command, status, stderr)
		}
	}
}

func TestWhatKeepsAKernelFromBeingBuiltIsOneLine(t *testing.T) {
	kernelTools(t)
	nowhere := t.TempDir()
	for _, c := range []struct {
		path      string
		arguments []string
		want      string
	}{
		{"", []string{"kernel", "path"}, "halfopen: looking for the user-mode kernel 6.12: it is not in the cache: 'halfopen kernel build --source 6.12' builds it\n"},
		{"", []string{"kernel", "build", "--source", "5.10"}, "halfopen: there is no kernel source \"5.10\": choose 6.12 or 6.1\n"},
		{"", []string{"kernel", "path", "--source", "5.10"}, "halfopen: there is no kernel source \"5.10\": choose 6.12 or 6.1\n"},
		{nowhere, []string{"kernel", "build"}, "halfopen: building the user-mode kernel takes Debian's apt, which is not installed: "},
	} {
		if c.path != "" {
			t.Setenv("PATH", c.path)
		}
		status, out, stderr := shell(t, c.arguments...)
		if status != notMeasured || out != "" || !strings.HasPrefix(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q; expected %q", c.arguments, status, out, stderr, c.want)
		}
	}
}

package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lacks returns the findings that are not here, by their names.
func lacks(findings []Finding) map[string]Finding {
	found := map[string]Finding{}
	for _, f := range findings {
		if !f.Here {
			found[f.What] = f
		}
	}
	return found
}

func TestPlacesForFilesAreFoundHere(t *testing.T) {
	for _, f := range []Finding{findTemporary(), findCache(), tryTracer()} {
		if !f.Here || f.Remedy != "" || strings.Contains(f.Means, "\n") {
			t.Errorf("%+v", f)
		}
	}
}

func TestAVariableThatLeadsNowhereIsOneLack(t *testing.T) {
	t.Run("TMPDIR", func(t *testing.T) {
		t.Setenv("TMPDIR", "/nosuch")
		if f := findTemporary(); f.Here || !strings.Contains(f.Remedy, "set TMPDIR to another") {
			t.Errorf("%+v", f)
		}
	})
	t.Run("HOME", func(t *testing.T) {
		t.Setenv("HOME", "")
		t.Setenv("XDG_CACHE_HOME", "")
		if f := findCache(); f.Here || !strings.Contains(f.Remedy, "neither HOME nor XDG_CACHE_HOME is set") {
			t.Errorf("%+v", f)
		}
		for what, f := range lacks(virtualTime(t.Context())) {
			if strings.Contains(f.Means+f.Remedy, "HOME") {
				t.Errorf("%s names it as well: %+v", what, f)
			}
		}
	})
}

// The kernel's cache in its three states: without a kernel, with one that is damaged, and with one
// that boots, where the test before has found it.
func TestADamagedKernelIsNamedWithItsRemedy(t *testing.T) {
	place := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", place)
	directory := filepath.Join(place, "halfopen", "kernel")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	if f := tryUserMode(t.Context()); !strings.Contains(f.Means+f.Remedy, "built") && !strings.Contains(f.Remedy, "install") {
		t.Errorf("without a kernel: %+v", f)
	}
	for name, content := range map[string]string{"linux-x": "x", "linux-x.json": "{"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if f := tryUserMode(t.Context()); f.Here || !strings.Contains(f.Remedy, "is damaged") || !strings.Contains(f.Remedy, "remove that file") {
		t.Errorf("with a damaged record: %+v", f)
	}
}

func TestRoom(t *testing.T) {
	deep := filepath.Join(t.TempDir(), "not", "made", "yet")
	if f := judgeRoom("it", deep, 1, "make room"); !f.Here || !strings.HasSuffix(f.Means, "MiB are free for "+deep) {
		t.Errorf("%+v", f)
	}
	if f := judgeRoom("it", deep, 1<<62, "make room"); f.Here || f.Remedy != "make room" || !strings.Contains(f.Means, "may be needed") {
		t.Errorf("%+v", f)
	}
	if f := judgeRoom("it", "/proc", 1, "make room"); f.Here {
		t.Errorf("a file system without room: %+v", f)
	}
}

func TestSysctlsThatForbidNamespacesAreNamed(t *testing.T) {
	root := t.TempDir()
	write := func(name, value string) {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("user/max_user_namespaces", "4096")
	write("kernel/unprivileged_userns_clone", "1")
	if got := restrictions(root); got != "" {
		t.Errorf("nothing forbids them, and it says %q", got)
	}
	write("kernel/apparmor_restrict_unprivileged_userns", "1")
	write("user/max_user_namespaces", "0")
	if got, want := restrictions(root), "; here kernel.apparmor_restrict_unprivileged_userns is 1 and user.max_user_namespaces is 0"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

func TestWithoutTracefsItSaysWhatToMount(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/tracing/instances"); err == nil && os.Geteuid() == 0 {
		if f := tryTracing(); !f.Here {
			t.Errorf("tracefs is mounted: %+v", f)
		}
		return
	}
	if f := tryTracing(); f.Here || !strings.Contains(f.Remedy, "tracefs") && !strings.Contains(f.Remedy, "as root") {
		t.Errorf("%+v", f)
	}
}

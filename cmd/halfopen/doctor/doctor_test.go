package doctor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/virtual/qemu"
)

func TestMain(m *testing.M) {
	reexec.Main()
	os.Exit(m.Run())
}

var tried = []string{namespaces, links, packets, iptables, tracking, sctp, netem}

func names(findings []Finding) (names []string) {
	for _, f := range findings {
		names = append(names, f.What)
	}
	return names
}

// Where the tests of the harness run, labs can be made.
func TestWhatLabsNeedIsTried(t *testing.T) {
	findings := runningKernel(reexec.Command(probe))
	if !slices.Equal(names(findings), tried) {
		t.Errorf("tried were %q, expected %q", names(findings), tried)
	}
	if !allHere(findings, neededByLabs) {
		t.Errorf("labs can be made here, and it found %+v", findings)
	}
	for _, f := range findings {
		if f.Means == "" || f.Here != (f.Remedy == "") || strings.Contains(f.Means+f.Remedy, "\n") {
			t.Errorf("%+v", f)
		}
	}
	version := findings[3].Means
	if !strings.Contains(version, "iptables v") {
		t.Errorf("iptables: %q, expected its version", version)
	}
}

// limited returns the command of the probe in a user namespace whose limits are 0.
func limited(t *testing.T, what ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable() // /proc/self/exe is another program in the shell
	if err != nil {
		t.Fatal(err)
	}
	script := ""
	for _, limit := range what {
		script += "echo 0 > /proc/sys/user/" + limit + " && "
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script+`exec "$0"`, binary)
	cmd.Env = reexec.Command(probe).Env
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	return cmd
}

func TestWithoutNamespacesItSaysWhatAllowsThem(t *testing.T) {
	for _, limits := range [][]string{{"max_user_namespaces", "max_pid_namespaces"}, {"max_net_namespaces"}} {
		findings := runningKernel(limited(t, limits...))
		if !slices.Equal(names(findings), tried) {
			t.Errorf("the findings are about %q, expected %q", names(findings), tried)
		}
		for i, f := range findings {
			if f.Here || i > 0 && f.Means != "not tried: it takes a namespace" {
				t.Errorf("%+v", f)
			}
		}
		if remedy := findings[0].Remedy; !strings.Contains(remedy, "making private namespaces") || !strings.Contains(remedy, "user."+limits[0]) {
			t.Errorf("the remedy is %q, expected that it names %s", remedy, limits[0])
		}
	}
}

func TestAProbeThatCannotBeStarted(t *testing.T) {
	findings := runningKernel(exec.Command("/nonexistent"))
	if len(findings) != len(tried) || findings[0].Here || !strings.Contains(findings[0].Remedy, "no such file") {
		t.Errorf("%+v", findings)
	}
}

func TestTheEmulatorIsStarted(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("PATH", directory)
	if f := tryEmulator(t.Context()); f.Here || !strings.Contains(f.Remedy, "install the package qemu-system-x86") {
		t.Errorf("without one: %+v", f)
	}
	// A name is not enough.
	if err := os.WriteFile(filepath.Join(directory, "qemu-system-x86_64"), []byte("#!/bin/sh\necho no icount >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if f := tryEmulator(t.Context()); f.Here || !strings.Contains(f.Remedy, "no icount") {
		t.Errorf("one that does not start: %+v", f)
	}
}

func TestTheKernelInTheCache(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	directory := filepath.Join(cache, "halfopen", "debian", qemu.DefaultKernel)

	t.Run("none, and no apt", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if f := findImage(); f.Here || !strings.Contains(f.Remedy, directory) {
			t.Errorf("%+v", f)
		}
	})
	t.Run("none, and apt", func(t *testing.T) {
		programs := t.TempDir()
		t.Setenv("PATH", programs)
		for _, name := range []string{"apt-get", "dpkg-deb"} {
			if err := os.WriteFile(filepath.Join(programs, name), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if f := findImage(); !f.Here || !strings.Contains(f.Means, "fetches it with apt") {
			t.Errorf("%+v", f)
		}
	})
	boot, modules := filepath.Join(directory, "boot"), filepath.Join(directory, "lib", "modules", "6.1.0")
	for _, d := range []string{boot, modules} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if f := findImage(); f.Here || !strings.Contains(f.Remedy, "remove "+directory) {
		t.Errorf("a directory without a kernel: %+v", f)
	}
	for _, file := range []string{filepath.Join(boot, "vmlinuz-6.1.0"), filepath.Join(modules, "modules.builtin")} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if f := findImage(); !f.Here || !strings.Contains(f.Means, "6.1.0 is in the cache") {
		t.Errorf("a kernel: %+v", f)
	}
}

func TestMemory(t *testing.T) {
	for available, want := range map[int]Finding{
		2048: {What: memory, Here: true, Means: "2048 MiB are available; each guest of a run is given 512, and 4 run at once"},
		2047: {What: memory, Means: "2047 MiB are available; each guest of a run is given 512, and 4 run at once",
			Remedy: "free some, or let fewer run at once: taskset -c 0-2 halfopen test"},
		0: {What: memory, Means: "0 MiB are available; each guest of a run is given 512, and 4 run at once", Remedy: "free some, or let fewer run at once: taskset -c 0-0 halfopen test"},
	} {
		if got := judgeMemory(available, 4); got != want {
			t.Errorf("%d MiB: %+v, expected %+v", available, got, want)
		}
	}
}

func TestAnErrorIsJudged(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Finding
	}{
		{nil, Finding{What: "it", Here: true, Means: "works"}},
		{errors.New("two\n lines"), Finding{What: "it", Means: "fails", Remedy: "two lines"}},
		{&require.Missing{What: "there is no it", Remedy: "get it"}, Finding{What: "it", Means: "there is no it, so fails", Remedy: "get it"}},
	} {
		if got := judge("it", c.err, "works", "fails"); got != c.want {
			t.Errorf("%v: %+v, expected %+v", c.err, got, c.want)
		}
	}
}

func TestOneExecutorIsEnough(t *testing.T) {
	for _, c := range []struct {
		r    Report
		want bool
	}{{Report{}, false}, {Report{RunningKernel: true}, true}, {Report{VirtualTime: true}, true}} {
		if c.r.Works() != c.want {
			t.Errorf("%+v works: %v", c.r, c.r.Works())
		}
	}
	if allHere([]Finding{{What: "a", Here: true}, {What: "b"}}, []string{"a", "b"}) || allHere(nil, []string{"a"}) {
		t.Error("what is missing is here")
	}
}

// Others have apt, and another archive.
func TestOnlyADebianHasItsArchive(t *testing.T) {
	for release, want := range map[string]bool{
		"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n": true,
		"NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n":                false,
		"": false,
	} {
		if isDebian(release) != want {
			t.Errorf("%q: expected %t", release, want)
		}
	}
}

package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// bench is a home with tools that build a kernel in no time (testdata/tools).
type bench struct {
	t    *testing.T
	home string
}

func newBench(t *testing.T) bench {
	t.Helper()
	tools, err := filepath.Abs("testdata/tools")
	if err != nil {
		t.Fatal(err)
	}
	b := bench{t, t.TempDir()}
	t.Setenv("HOME", b.home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv(environment.KernelURL, "")
	t.Setenv("PATH", tools+":/usr/bin:/bin")
	return b
}

// script makes a tool, or what it reads, do something else.
func (b bench) script(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.home, name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b bench) read(name string) string {
	content, _ := os.ReadFile(filepath.Join(b.home, name))
	return string(content)
}

// files are the names in the cache.
func (b bench) files() (names []string) {
	entries, _ := os.ReadDir(filepath.Join(b.home, ".cache", "halfopen", "kernel"))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (b bench) build() Kernel {
	b.t.Helper()
	k, err := Build(b.t.Context(), Debian13, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return k
}

// leftovers are files in the cache that no finished build leaves.
func (b bench) leftovers() (names []string) {
	for _, name := range b.files() {
		if name != "lock" && !strings.HasSuffix(name, ".log") && !strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

func TestABuildPutsAKernelIntoTheCache(t *testing.T) {
	b := newBench(t)
	if _, err := Find(Debian13); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("before the build: %v", err)
	}
	var shown strings.Builder
	k, err := Build(t.Context(), Debian13, &shown)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(k.File)
	if err != nil || !strings.HasPrefix(string(content), "a kernel by halfopen\n") {
		t.Errorf("the kernel is %q, %v", content, err)
	}
	r, err := recipeFor(embedded, Debian13)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.patches {
		if !strings.Contains(string(content), string(p.content)) {
			t.Errorf("%s was not applied", p.name)
		}
	}
	if info, err := os.Stat(k.File); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if k.Source != Debian13 || k.Package != "6.12.1-1" || k.Release != "6.12.1" || k.Compiler != "gcc (Test 12.2.0-14) 12.2.0, GNU ld (Test) 2.40, libc.a 7648f2a9" || k.Size != int64(len(content)) {
		t.Errorf("it is %+v", k)
	}
	for _, stage := range []string{"updating apt's lists", "fetching linux-source-6.12 6.12.1-1, 1 MB", "unpacking it", "compiling on ", "built Linux 6.12.1 in "} {
		if !strings.Contains(shown.String(), "kernel: "+stage) {
			t.Errorf("no %q in\n%s", stage, &shown)
		}
	}
	if left := b.leftovers(); left != nil {
		t.Errorf("left in the cache: %q", left)
	}
	if found, err := Find(Debian13); err != nil || found != k {
		t.Errorf("found %+v, %v, expected %+v", found, err, k)
	}
	if _, err := Find(Debian12); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("the other source: %v", err)
	}
}

func TestAKernelIsBuiltOnce(t *testing.T) {
	b := newBench(t)
	first := b.build()
	asked := b.read("apt")
	if second := b.build(); second != first {
		t.Errorf("%+v, then %+v", first, second)
	}
	if b.read("apt") != asked {
		t.Errorf("apt was asked again:\n%s", b.read("apt"))
	}
}

func TestAnUpdateBuildsOnlyFromOtherInputs(t *testing.T) {
	b := newBench(t)
	first := b.build()
	same, err := Update(t.Context(), Debian13, nil)
	if err != nil || same != first {
		t.Errorf("with nothing new: %+v, %v", same, err)
	}
	b.script("version", "6.12.2-1\n")
	if found, err := Find(Debian13); err != nil || found != first {
		t.Errorf("a newer package is none of Find's business: %+v, %v", found, err)
	}
	second, err := Update(t.Context(), Debian13, nil)
	if err != nil || second.Package != "6.12.2-1" || second.File == first.File {
		t.Fatalf("with a newer package: %+v, %v", second, err)
	}
	b.script("gcc", "case $1 in --version) echo 'gcc (Test 13.0.0-1) 13.0.0'; exit; esac\n")
	third, err := Update(t.Context(), Debian13, nil)
	if err != nil || third.Package != second.Package || third.File == second.File {
		t.Fatalf("with another compiler: %+v, %v", third, err)
	}
	all, err := List()
	if err != nil || len(all) != 3 || all[0] != third {
		t.Errorf("the cache has %+v, %v", all, err)
	}
}

// dropINET makes make configure the kernel without CONFIG_INET.
const dropINET = `case $* in *allnoconfig)
	for argument; do
		case $argument in KCONFIG_ALLCONFIG=*) grep -v CONFIG_INET= "${argument#*=}" >.config ;; esac
	done
	exit 0 ;;
esac`

func TestABuildThatFailsSaysWhyInOneLineAndLeavesNothing(t *testing.T) {
	for _, c := range []struct{ what, tool, script, want string }{
		{"the compiler finds an error", "make", "case $* in *linux) echo 'fork.c:1: error: no such thing' >&2; echo more; exit 2; esac",
			"compiling the kernel: make: exit status 2: fork.c:1: error: no such thing (everything it printed is in "},
		{"a setting is dropped", "make", dropINET,
			"configuring the kernel: linux-source-6.12 does not take CONFIG_INET=y"},
		{"apt cannot fetch", "apt-get", "case $* in *download*) echo 'E: 404' >&2; exit 100; esac",
			"fetching linux-source-6.12 6.12.1-1: apt-get: exit status 100: E: 404"},
		{"apt fetches something else", "apt-get", "case $* in *download*) exit 0; esac",
			"fetching linux-source-6.12 6.12.1-1: apt-get left 0 archives, expected one"},
		{"the package has no source", "apt-get", "case $* in *download*) echo other >other.deb; exit 0; esac",
			"unpacking other.deb: tar: exit status 2: tar: "},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBench(t)
			b.script(c.tool, c.script+"\n")
			_, err := Build(t.Context(), Debian13, nil)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\nexpected one line that begins with\n%s", err, c.want)
			}
			if _, err := Find(Debian13); !errors.Is(err, ErrNotBuilt) {
				t.Errorf("afterwards the cache has one: %v", err)
			}
			if left := b.leftovers(); left != nil {
				t.Errorf("left in the cache: %q", left)
			}
		})
	}
}

func TestASourceMayNotHaveANameOfTheDefaultsConfiguration(t *testing.T) {
	for _, c := range []struct{ what, kconfig, want string }{
		{"no such name", "config INET_DIAG\n", ""},
		{"a name that was dropped", "menuconfig INET\n", "configuring the kernel: linux-source-6.1 does not take CONFIG_INET=y"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBench(t)
			b.script("make", "mkdir -p net && printf '"+c.kconfig+"' >net/Kconfig\n"+dropINET+"\n")
			_, err := Build(t.Context(), Debian12, nil)
			if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != c.want {
				t.Errorf("%v, expected %q", err, c.want)
			}
		})
	}
}

func TestASourceThatTheSystemDoesNotHaveComesFromDebiansSuite(t *testing.T) {
	b := newBench(t)
	b.script("apt-cache", "grep -q suite.list \"${1#--config-file=}\" || { echo 'E: No packages found' >&2; exit 100; }\n")
	b.script("apt-get", "case $2 in indextargets) echo 'deb [signed-by=$(SIGNED_BY)] http://deb.example/debian trixie main'; exit 0; esac\n"+
		"directory=${1#--config-file=}\n"+
		"cp \"${directory%apt.conf}sources/suite.list\" \"$HOME/suite\" 2>/dev/null || true\n")
	b.build()
	if got, want := b.read("suite"), "deb http://deb.example/debian trixie main\n"; got != want {
		t.Errorf("its source is %q, expected %q", got, want)
	}
}

func TestASystemWithoutDebiansArchiveIsToldWhatToDo(t *testing.T) {
	b := newBench(t)
	b.script("apt-cache", "exit 100\n")
	_, err := Build(t.Context(), Debian13, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "apt has no package linux-source-6.12 here, and no source of Debian's: build it once on Debian") {
		t.Error(err)
	}
}

func TestTheEnvironmentDoesNotReachTheBuild(t *testing.T) {
	b := newBench(t)
	t.Setenv("KCFLAGS", "-O0")
	t.Setenv("MAKEFLAGS", "--jobserver-auth=3,4")
	b.script("make", "env >>\"$HOME/environment\"\n")
	b.build()
	if env := b.read("environment"); strings.Contains(env, "-O0") || strings.Contains(env, "jobserver") || !strings.Contains(env, "KBUILD_BUILD_HOST=halfopen") {
		t.Errorf("make's environment is\n%s", env)
	}
}

func TestABuildThatIsInterruptedLeavesNothing(t *testing.T) {
	b := newBench(t)
	b.script("make", "case $* in *linux) touch \"$HOME/compiling\"; sleep 1000; esac\n")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for b.read("compiling") == "" {
			if _, err := os.Stat(filepath.Join(b.home, "compiling")); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel(errors.New("interrupted"))
	}()
	_, err := Build(ctx, Debian13, nil)
	if err == nil || err.Error() != "building the user-mode kernel: interrupted" {
		t.Errorf("the error is %v", err)
	}
	if left := b.leftovers(); left != nil {
		t.Errorf("left in the cache: %q", left)
	}
}

func TestTwoBuildsAtOnceDoOne(t *testing.T) {
	b := newBench(t)
	b.script("make", "case $* in *linux) echo once >>\"$HOME/compiled\"; sleep 0.5; esac\n")
	var shown [2]strings.Builder
	var kernels [2]Kernel
	var builds sync.WaitGroup
	for i := range kernels {
		builds.Go(func() {
			var err error
			if kernels[i], err = Build(t.Context(), Debian13, &shown[i]); err != nil {
				t.Error(err)
			}
		})
	}
	builds.Wait()
	if kernels[0] != kernels[1] || b.read("compiled") != "once\n" {
		t.Errorf("compiled %q, kernels %+v", b.read("compiled"), kernels)
	}
	waited := func(s *strings.Builder) bool { return strings.HasPrefix(s.String(), "kernel: waiting for process ") }
	if waited(&shown[0]) == waited(&shown[1]) {
		t.Errorf("one was to wait and to say so:\n%s\n%s", &shown[0], &shown[1])
	}
}

func TestABuildThatWaitsCanBeInterrupted(t *testing.T) {
	b := newBench(t)
	c, err := userCache()
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := c.lock(t.Context(), newProgress(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("interrupted"))
	defer cancel()
	var shown strings.Builder
	_, err = Build(ctx, Debian13, &shown)
	if err == nil || err.Error() != "locking the cache of kernels: interrupted" {
		t.Errorf("the error is %v", err)
	}
	if want := fmt.Sprintf("kernel: waiting for process %d (kernel.test) since ", os.Getpid()); !strings.HasPrefix(shown.String(), want) || strings.Count(shown.String(), "\n") != 1 {
		t.Errorf("it says %q, expected %q", &shown, want)
	}
	if b.read("apt") != "" {
		t.Error("it builds all the same")
	}
}

func TestWhatADeadBuildLeftIsRemovedByTheNext(t *testing.T) {
	b := newBench(t)
	stale := filepath.Join(b.home, ".cache", "halfopen", "kernel", unfinished+"123")
	if err := os.MkdirAll(filepath.Join(stale, "linux"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.build()
	if left := b.leftovers(); left != nil {
		t.Errorf("left in the cache: %q", left)
	}
}

func TestWhatAMachineLacksIsOneLineWithTheRemedy(t *testing.T) {
	for _, c := range []struct {
		what string
		gone []string
		want string
	}{
		{"two programs", []string{"flex", "bison"}, "building the user-mode kernel takes packages that are not installed: run 'apt-get install flex bison' as root"},
		{"two programs of one package", []string{"ld", "strip"}, "building the user-mode kernel takes packages that are not installed: run 'apt-get install binutils' as root"},
		{"the compiler", []string{"gcc"}, "building the user-mode kernel takes packages that are not installed: run 'apt-get install gcc libc6-dev' as root"},
		{"apt", []string{"apt-get"}, "building the user-mode kernel takes Debian's apt, which is not installed: build it once on Debian"},
	} {
		t.Run(c.what, func(t *testing.T) {
			newBench(t)
			t.Setenv("PATH", toolsWithout(t, c.gone))
			_, err := Build(t.Context(), Debian13, nil)
			if _, ok := errors.AsType[*Lacks](err); !ok || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nexpected\n%s", err, c.want)
			}
		})
	}
	t.Run("the static C library", func(t *testing.T) {
		b := newBench(t)
		b.script("gcc", "echo libc.a; exit\n")
		_, err := Build(t.Context(), Debian13, nil)
		if lacks, ok := errors.AsType[*Lacks](err); !ok || !slices.Equal(lacks.Packages, []string{"libc6-dev"}) {
			t.Error(err)
		}
	})
	t.Run("nothing, when the kernel is in the cache", func(t *testing.T) {
		b := newBench(t)
		b.build()
		t.Setenv("PATH", t.TempDir())
		b.build()
	})
}

// toolsWithout is a directory with the tools of a build but some.
func toolsWithout(t *testing.T, gone []string) string {
	t.Helper()
	directory := t.TempDir()
	for _, tool := range tools {
		if slices.Contains(gone, tool.program) {
			continue
		}
		from, err := filepath.Abs(filepath.Join("testdata/tools", tool.program))
		if err != nil {
			t.Fatal(err)
		}
		if tool.program == "tar" {
			from = "/usr/bin/tar"
		}
		// One tool may be in the list for two programs of its package.
		if err := os.Symlink(from, filepath.Join(directory, tool.program)); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

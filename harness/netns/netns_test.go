package netns_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
)

func TestMain(m *testing.M) { private.Main(m.Run) }

func open(t *testing.T) *netns.Namespace {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

// where is the network namespace of the calling thread, as the kernel names it:
// "net:[4026531840]".
func where() (string, error) { return os.Readlink("/proc/thread-self/ns/net") }

func outside(t *testing.T) string {
	t.Helper()
	at, err := where()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// held is the namespace that the descriptor of ns is open on, by stat(2).
func held(t *testing.T, ns *netns.Namespace) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(ns.FD(), &st); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("net:[%d]", st.Ino)
}

func TestDoRunsInsideAndTheCallerStaysOutside(t *testing.T) {
	t.Parallel()
	home := outside(t)
	ns := open(t)
	want := held(t, ns)
	if want == home {
		t.Fatalf("New made no namespace: its descriptor is open on the caller's own, %s", home)
	}
	if at := outside(t); at != home {
		t.Errorf("after New the caller is in %s, expected %s", at, home)
	}
	var inside string
	err := ns.Do(func() (err error) {
		inside, err = where()
		return err
	})
	if err != nil || inside != want {
		t.Errorf("inside Do the thread is in %s (%v), expected %s", inside, err, want)
	}
	if at := outside(t); at != home {
		t.Errorf("after Do the caller is in %s, expected %s", at, home)
	}
}

// Many goroutines on few threads: a thread that Do had given back to the runtime
// would run some of them in the wrong place.
func TestNoGoroutineEndsUpInANamespaceByChance(t *testing.T) {
	t.Parallel()
	home := outside(t)
	ns := open(t)
	want := held(t, ns)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := ns.Do(func() error {
				if at, err := where(); at != want {
					return fmt.Errorf("inside Do the thread is in %s (%v), expected %s", at, err, want)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if at, err := where(); at != home {
				t.Errorf("after Do the goroutine is in %s (%v), expected %s", at, err, home)
			}
		})
	}
	wg.Wait()
}

func TestGoroutinesStartedInsideDoNotInherit(t *testing.T) {
	t.Parallel()
	home := outside(t)
	ns := open(t)
	var ats []string
	err := ns.Do(func() error {
		answers := make(chan string)
		for range 20 {
			go func() {
				at, _ := where()
				answers <- at
			}()
		}
		for range 20 {
			ats = append(ats, <-answers)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(ats, func(at string) bool { return at != home }) {
		t.Errorf("goroutines started inside Do ran in %v, expected all in %s", ats, home)
	}
}

func TestANewNamespaceHasLoopbackOnlyAndThatDown(t *testing.T) {
	t.Parallel()
	ns := open(t)
	var links []net.Interface
	err := ns.Do(func() (err error) {
		links, err = net.Interfaces()
		return err
	})
	// Modules may add fallback devices (sit0, tunl0) of their own, down as well.
	if err != nil || len(links) == 0 || links[0].Name != "lo" {
		t.Fatalf("the links are %v, %v, expected lo", links, err)
	}
	for _, l := range links {
		if l.Flags&net.FlagUp != 0 {
			t.Errorf("%s is up, expected it down", l.Name)
		}
	}
}

func TestDoReturnsTheErrorAsItIs(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	if err := open(t).Do(func() error { return mine }); err != mine {
		t.Errorf("Do: %v, expected the very error of f", err)
	}
}

// t.FailNow ends its goroutine (runtime.Goexit), and so must end the one that called
// Do: the test waits for that one.
func TestEndingTheGoroutineInsideDoEndsItsCaller(t *testing.T) {
	t.Parallel()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		how := "was ended"
		defer func() { ended <- how }()
		err := ns.Do(func() error { runtime.Goexit(); return nil })
		how = fmt.Sprintf("went on with %v", err)
	}()
	select {
	case how := <-ended:
		if how != "was ended" {
			t.Errorf("the caller of Do %s, expected it to be ended", how)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the caller of Do still waits after 5 s")
	}
	if err := ns.Close(); err != nil { // waits for whoever is inside
		t.Error(err)
	}
}

func TestNothingEntersAClosedNamespace(t *testing.T) {
	t.Parallel()
	ns := open(t)
	for _, times := range []string{"once", "twice"} {
		if err := ns.Close(); err != nil {
			t.Errorf("Close, %s: %v", times, err)
		}
	}
	ran := false
	err := ns.Do(func() error { ran = true; return nil })
	if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), t.Name()) || ran {
		t.Errorf("Do after Close: %v, f ran: %v; expected os.ErrClosed with the name %q, and f not run", err, ran, t.Name())
	}
	if err := ns.Start(exec.Command("true")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Start after Close: %v, expected os.ErrClosed", err)
	}
	if fd := ns.FD(); fd != -1 {
		t.Errorf("FD after Close: %d, expected -1", fd)
	}
}

func TestCloseClosesTheDescriptor(t *testing.T) {
	// Not parallel: nobody else may be given the number in between.
	ns := open(t)
	fd := ns.FD()
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != unix.EBADF {
		t.Errorf("stat of the descriptor %d after Close: %v, expected EBADF", fd, err)
	}
}

func TestASocketKeepsTheNamespaceAfterClose(t *testing.T) {
	t.Parallel()
	ns := open(t)
	want := held(t, ns)
	var socket int
	err := ns.Do(func() (err error) {
		socket, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(socket) }()
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	// SIOCGSKNS (socket(7) has it not; include/uapi/linux/sockios.h): a descriptor
	// of the socket's namespace.
	again, err := unix.IoctlRetInt(socket, unix.SIOCGSKNS)
	if err != nil {
		t.Fatalf("asking for the namespace of the socket: %v", err)
	}
	defer func() { _ = unix.Close(again) }()
	var st unix.Stat_t
	if err := unix.Fstat(again, &st); err != nil || fmt.Sprintf("net:[%d]", st.Ino) != want {
		t.Errorf("the socket is in net:[%d] (%v), expected %s", st.Ino, err, want)
	}
}

func TestProgramsRunInside(t *testing.T) {
	t.Parallel()
	ns := open(t)
	want := held(t, ns)
	out, err := ns.Output(exec.Command("readlink", "/proc/self/ns/net"))
	if got := strings.TrimSpace(string(out)); err != nil || got != want {
		t.Errorf("Output: the program ran in %s (%v), expected %s", got, err, want)
	}
	var started strings.Builder
	cmd := exec.Command("readlink", "/proc/self/ns/net")
	cmd.Stdout = &started
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || strings.TrimSpace(started.String()) != want {
		t.Errorf("Start: the program ran in %s (%v), expected %s", started.String(), err, want)
	}
}

func TestOutputSaysWhatAFailingProgramWroteToStandardError(t *testing.T) {
	t.Parallel()
	out, err := open(t).Output(exec.Command("sh", "-c", "echo half; echo no such chain >&2; exit 3"))
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 3 || string(exit.Stderr) != "no such chain\n" || string(out) != "half\n" {
		t.Errorf("Output: %q, %#v, expected %q and exit status 3 with standard error %q", out, err, "half\n", "no such chain\n")
	}
}

func TestNothingAppearsInRunNetns(t *testing.T) {
	// Not parallel: the other tests make namespaces too.
	list := func() (names []string) {
		entries, err := os.ReadDir("/run/netns")
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	mounts := func() string {
		all, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		return string(all)
	}
	names, mounted := list(), mounts()
	ns := open(t)
	if err := ns.Do(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got := list(); !slices.Equal(got, names) {
		t.Errorf("after New and Do /run/netns has %v, expected %v as before", got, names)
	}
	if got := mounts(); got != mounted {
		t.Errorf("after New and Do the mounts are\n%s\nexpected\n%s", got, mounted)
	}
}

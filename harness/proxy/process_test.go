package proxy

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/proxy/internal/control"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Tests that count descriptors and goroutines, or set variables, are not parallel: Go runs
// them before the parallel ones.

func TestCloseLeavesNothingBehind(t *testing.T) {
	ns := newNamespace(t)
	cycle := func() {
		p, err := Start(ns)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Forward("route", loopback.String(), "127.0.0.1:1"); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := unix.Kill(p.PID(), 0); err != unix.ESRCH {
			t.Errorf("signalling the child after Close: %v, expected ESRCH", err)
		}
	}
	cycle() // the Go runtime opens descriptors that it keeps
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	for range 5 {
		cycle()
	}
	if now := descriptors(t); len(now) != len(files) {
		t.Errorf("descriptors before: %v\nand after: %v", files, now)
	}
	// A goroutine that has nothing left to do takes a moment to end.
	for deadline := time.Now().Add(promptly); runtime.NumGoroutine() > goroutines; time.Sleep(ms) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("%d goroutines before, now:\n%s", goroutines, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func descriptors(t *testing.T) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil {
			open = append(open, target)
		}
	}
	return open
}

func TestStartOfAChildThatFailsTellsWhy(t *testing.T) {
	t.Setenv(crashes, "1")
	_, err := Start(newNamespace(t))
	if err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "toxiproxy fell over") {
		t.Errorf("Start: %v, expected the child's exit status and standard error", err)
	}
}

func TestCloseTellsOfAChildThatEndedByItself(t *testing.T) {
	p, err := Start(newNamespace(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(p.PID(), unix.SIGABRT); err != nil { // Go prints its stacks
		t.Fatal(err)
	}
	if !gone(t, p.PID(), promptly) {
		t.Fatal("toxiproxy survived SIGABRT")
	}
	_, err = p.Forward("route", loopback.String(), "127.0.0.1:1")
	for what, err := range map[string]error{"Forward": err, "Close": p.Close(), "the second Close": p.Close()} {
		if err == nil || !strings.Contains(err.Error(), "ended by itself") || !strings.Contains(err.Error(), "SIGABRT") {
			t.Errorf("%s: %v, expected that it ended by itself, and its standard error", what, err)
		}
	}
	if kept := len(p.stderr.text); kept > 8<<10 {
		t.Errorf("%d bytes of standard error kept", kept)
	}
}

func TestStartInAClosedNamespace(t *testing.T) {
	ns := newNamespace(t)
	_ = ns.Close()
	before := len(descriptors(t))
	if _, err := Start(ns); err == nil || !strings.Contains(err.Error(), "file already closed") {
		t.Errorf("Start: %v, expected that the namespace is closed", err)
	}
	if after := len(descriptors(t)); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestTheServerStartedByHand(t *testing.T) {
	cmd := reexec.Command(control.Program)
	out, err := cmd.CombinedOutput()
	if want := "toxiproxy: descriptor 3 is not a control socket: "; err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v, %s, expected exit status 1 and %q", err, out, want)
	}
}

// The process that started toxiproxy is killed by SIGKILL: toxiproxy must end too.
func TestToxiproxyGoesWithItsParent(t *testing.T) {
	t.Parallel()
	parent := reexec.Command(parentProgram)
	parent.Stderr = os.Stderr
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent started no toxiproxy: %v, %v", err, parent.Wait())
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if gone(t, pid, 200*ms) {
		t.Error("toxiproxy was gone before its parent")
	}
	_ = parent.Process.Kill()
	if !gone(t, pid, promptly) {
		t.Errorf("toxiproxy, process %d, outlived its parent", pid)
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	_ = parent.Wait()
}

// gone reports whether a process ends within a time.
func gone(t *testing.T, pid int, wait time.Duration) bool {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return true
	} else if err != nil {
		t.Fatalf("opening process %d: %v", pid, err)
	}
	defer func() { _ = unix.Close(pidfd) }()
	for deadline := time.Now().Add(wait); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		if err != unix.EINTR {
			return n == 1
		}
	}
}

const parentProgram reexec.Name = "parent"

// beParent starts a toxiproxy, prints its process id and waits to be killed.
func beParent([]string) error {
	ns, err := netns.New("parent")
	if err != nil {
		return err
	}
	p, err := Start(ns)
	if err != nil {
		return err
	}
	fmt.Println(p.PID())
	select {}
}

func TestListenerIsPlainTCP(t *testing.T) {
	p := newPath(t)
	pidfd, err := unix.PidfdOpen(p.proxy.PID(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(pidfd) }()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.proxy.PID()))
	if err != nil {
		t.Fatal(err)
	}
	listeners := 0
	for _, link := range links {
		number, _ := strconv.Atoi(filepath.Base(link))
		fd, err := unix.PidfdGetfd(pidfd, number, 0)
		if err != nil {
			t.Fatalf("getting descriptor %d of toxiproxy: %v", number, err)
		}
		defer func() { _ = unix.Close(fd) }()
		if listening, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); listening == 1 {
			listeners++
			if protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); protocol != unix.IPPROTO_TCP {
				t.Errorf("toxiproxy listens with protocol %d (%v), expected %d, TCP", protocol, err, unix.IPPROTO_TCP)
			}
		}
	}
	if listeners != 1 {
		t.Errorf("toxiproxy has %d listeners, expected 1", listeners)
	}
}

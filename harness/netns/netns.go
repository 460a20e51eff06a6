// Package netns makes network namespaces and runs code in them. It is the only package
// that calls setns(2).
//
// A Namespace has no name in /run/netns: it lives as long as a descriptor, a socket or a
// process holds it, so a killed run leaves nothing behind. Links, addresses, rules and
// programs are put into a namespace by the packages beside this one.
package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Namespace is one network namespace, held by a descriptor. The zero value is
// not usable; make one with New.
type Namespace struct {
	name   string
	mu     sync.RWMutex
	handle netns.NsHandle // netns.None() once closed
}

// New makes a network namespace in which there is only the loopback interface, down. The
// name appears in error messages and nowhere in the system. The calling goroutine stays
// in its namespace. The error is EPERM without CAP_SYS_ADMIN (network_namespaces(7)), and
// ENOSPC when user.max_net_namespaces is reached.
func New(name string) (*Namespace, error) {
	n := &Namespace{name: name, handle: netns.None()}
	err := onThrowawayThread(func() error {
		handle, err := netns.New()
		if err != nil {
			return err
		}
		n.handle = handle
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("making network namespace %q: %w", name, explain(err))
	}
	return n, nil
}

func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: run as root, or allow user namespaces (sysctl user.max_user_namespaces, and kernel.apparmor_restrict_unprivileged_userns=0 where it exists)", err)
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%w: the limit user.max_net_namespaces is reached", err)
	}
	return err
}

// onThrowawayThread runs f on a thread of its own and never unlocks that thread. The Go
// runtime therefore ends the thread, and does not give it to another goroutine in the
// namespace where f left it. If f ends its goroutine (runtime.Goexit), the caller's
// goroutine ends too.
func onThrowawayThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		defer close(result)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The runtime does not end the main thread: it would park it for ever in the
			// namespace (runtime, mexit). While this goroutine holds the main thread, f
			// gets another one.
			defer runtime.UnlockOSThread()
			result <- onThrowawayThread(f)
			return
		}
		result <- f()
	}()
	err, returned := <-result
	if !returned {
		runtime.Goexit()
	}
	return err
}

// Name returns the name that was given to New.
func (n *Namespace) Name() string { return n.name }

// Do runs f on a thread inside the namespace and returns f's error. A socket that f makes
// belongs to the namespace for good, and any goroutine may use it afterwards. Goroutines
// that f starts do not run inside the namespace. If f calls t.FailNow, the caller's
// goroutine ends too; a panic in f ends the program. f must not call Close, which waits
// for f.
func (n *Namespace) Do(f func() error) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if !n.handle.IsOpen() {
		return fmt.Errorf("entering network namespace %q: %w", n.name, os.ErrClosed)
	}
	return onThrowawayThread(func() error {
		if err := netns.Set(n.handle); err != nil {
			return fmt.Errorf("entering network namespace %q: %w", n.name, err)
		}
		return f()
	})
}

// Start starts a command inside the namespace. Do not set the command's Pdeathsig: the
// kernel sends that signal when the thread that forked ends, which is at once (prctl(2),
// PR_SET_PDEATHSIG).
func (n *Namespace) Start(cmd *exec.Cmd) error {
	return n.Do(cmd.Start)
}

// Output runs a command inside the namespace to its end and returns its standard output.
// As with exec.Cmd.Output, an *exec.ExitError has the standard error.
func (n *Namespace) Output(cmd *exec.Cmd) ([]byte, error) {
	var out []byte
	err := n.Do(func() error {
		var err error
		out, err = cmd.Output()
		return err
	})
	return out, err
}

// FD returns the descriptor that holds the namespace, for netlink requests that name a
// namespace by its descriptor. It is valid until Close; the caller must not close it.
func (n *Namespace) FD() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return int(n.handle)
}

// Close closes the descriptor of the namespace. The kernel removes the namespace, with its
// links and rules, when no socket and no process is left in it. A second Close does
// nothing.
func (n *Namespace) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.handle.IsOpen() {
		return nil
	}
	if err := n.handle.Close(); err != nil {
		return fmt.Errorf("closing network namespace %q: %w", n.name, err)
	}
	return nil
}

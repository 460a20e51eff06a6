// Package netns is a network namespace as a value.
//
// It is the only package that calls setns(2). A Namespace has
// no name in /run/netns: it lives as long as a descriptor, a socket or a process
// holds it, so a killed run leaves nothing behind. What is put into a namespace
// (links, addresses, rules, programs) lives in the packages beside this one.
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

// New makes an empty network namespace: loopback only, and that down. The name
// appears in error messages and nowhere in the system. The calling goroutine
// stays where it is. It fails with EPERM without CAP_SYS_ADMIN
// (network_namespaces(7)) and with ENOSPC at user.max_net_namespaces.
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

// onThrowawayThread runs f on an operating-system thread of its own that is
// never unlocked, so that the Go runtime ends the thread instead of handing it,
// with whatever namespace f left it in, to another goroutine. When f ends its
// goroutine (runtime.Goexit), the caller's ends as well.
func onThrowawayThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		defer close(result)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The runtime does not end the main thread but parks it for ever (runtime,
			// mexit), in the namespace. While it is held here, f gets another.
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

// Name is the name given to New.
func (n *Namespace) Name() string { return n.name }

// Do runs f on a thread inside the namespace and returns f's error. Sockets that
// f makes keep the namespace for life and may be used from any goroutine
// afterwards. Goroutines that f starts do not run inside the namespace. f may call
// t.FailNow: it ends the caller's goroutine too. A panic in f ends the program, as in
// any goroutine. f must not call Close, which waits for f.
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

// Start starts cmd inside the namespace. Do not set Pdeathsig on it: the thread
// that forks ends at once, and the kernel ties that signal to the thread
// (prctl(2), PR_SET_PDEATHSIG).
func (n *Namespace) Start(cmd *exec.Cmd) error {
	return n.Do(cmd.Start)
}

// Output runs cmd inside the namespace to its end and returns its standard
// output; as with exec.Cmd.Output, an *exec.ExitError carries standard error.
func (n *Namespace) Output(cmd *exec.Cmd) ([]byte, error) {
	var out []byte
	err := n.Do(func() error {
		var err error
		out, err = cmd.Output()
		return err
	})
	return out, err
}

// FD is the descriptor that holds the namespace, for netlink requests that name
// a namespace by descriptor. It is valid until Close and belongs to n.
func (n *Namespace) FD() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return int(n.handle)
}

// Close lets go of the namespace. The kernel removes it, with its links and
// rules, when the last socket and process in it is gone as well. Closing twice
// does nothing.
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

// Package require says what a spec needs that not every executor or kernel has,
// whether it is here, and what to do when it is not.
//
// What every lab needs, namespaces and iptables, is not here: without them nothing
// runs at all, and package harness says so.
package require

import (
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
)

// Missing is something that a spec needs and that is not here.
type Missing struct {
	What   string // as in "the kernel has no netem"
	Remedy string // what the user can do, as a sentence without a stop
}

// Error implements error.
func (m *Missing) Error() string { return m.What + ": " + m.Remedy }

// Patience is the longest that a spec waits in real time.
const Patience = 20 * time.Second

// Time says whether a wait is affordable here: up to Patience always, and any in
// virtual time. The error is a *Missing.
func Time(wait time.Duration) error {
	if wait <= Patience || environment.Read().VirtualTime {
		return nil
	}
	return &Missing{What: fmt.Sprintf("waits %v", wait), Remedy: "run it in virtual time (make suite)"}
}

// Netem says whether the kernel can impair links (sch_netem). The error is a
// *Missing, or another where that could not be found out.
func Netem() error { return netem() }

var netem = sync.OnceValue(func() error {
	ns, err := netns.New("netem?")
	if err != nil {
		return fmt.Errorf("finding out whether the kernel has netem: %w", err)
	}
	defer func() { _ = ns.Close() }()
	links, err := link.Open(ns)
	if err != nil {
		return fmt.Errorf("finding out whether the kernel has netem: %w", err)
	}
	defer links.Close()
	switch err := links.Impair("lo", link.Impairment{Delay: time.Millisecond}); {
	case errors.Is(err, unix.ENOENT):
		return &Missing{What: "the kernel has no netem (sch_netem)", Remedy: "load the module, use a kernel that has it, or run it in virtual time (make suite)"}
	case err != nil:
		return fmt.Errorf("finding out whether the kernel has netem: %w", err)
	}
	return nil
})

// SCTP says whether the kernel has SCTP. The error is a *Missing, or another where that
// could not be found out.
func SCTP() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	switch {
	case err == unix.EPROTONOSUPPORT:
		return &Missing{What: "the kernel has no SCTP", Remedy: "load the module sctp, use a kernel that has it, or run it in virtual time (make suite)"}
	case err != nil:
		return fmt.Errorf("finding out whether the kernel has SCTP: %w", err)
	}
	return unix.Close(fd)
}

// Diameter says whether the Diameter peer of fixtures/diameter is there. The error is a
// *Missing.
func Diameter() error {
	return program("diameter", "put it there (go build ./fixtures/diameter)")
}

// FreeDiameter says whether freeDiameter is there. The error is a *Missing.
func FreeDiameter() error {
	return program("freeDiameterd", "install it (apt-get install freediameterd)")
}

// Nginx says whether nginx is there. The error is a *Missing.
func Nginx() error {
	return program("nginx", "install it (apt-get install libnginx-mod-stream)")
}

// HAProxy says whether HAProxy is there. The error is a *Missing.
func HAProxy() error {
	return program("haproxy", "install it (apt-get install haproxy)")
}

func program(name, remedy string) error {
	if _, err := exec.LookPath(name); err != nil {
		return &Missing{What: fmt.Sprintf("the program %s is not in PATH", name), Remedy: remedy + ", or run it in virtual time (make suite)"}
	}
	return nil
}

// Package require tries what a spec needs and not every machine has: options of the
// kernel, programs, and time. What is missing is an error of type *Missing, with the
// remedy.
//
// What every lab needs, namespaces and iptables, is not here: package harness says so
// itself. Versions of the kernel matter for sysctls alone (sysctl.Setting, Since).
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

// Missing is the error of something that a spec needs and that is not here.
type Missing struct {
	What   string // "the kernel has no netem"
	Remedy string // what the user can do, as a sentence without a full stop
}

// Error returns both in one line.
func (m *Missing) Error() string { return m.What + ": " + m.Remedy }

// inVirtualTime is the remedy that everything has: a guest has all that specs need.
const inVirtualTime = "run it in virtual time"

// Patience is the longest that a spec waits in real time.
const Patience = 20 * time.Second

// Time returns a *Missing if a wait takes virtual time, which is not here: one that is
// longer than Patience.
func Time(wait time.Duration) error {
	if wait <= Patience || environment.Read().VirtualTime {
		return nil
	}
	return &Missing{What: fmt.Sprintf("waits %v", wait), Remedy: inVirtualTime}
}

// Program returns a *Missing if a program is not in PATH. The remedy says how to get it:
// "install it (apt-get install nginx)".
func Program(name, remedy string) error {
	if _, err := exec.LookPath(name); err != nil {
		return &Missing{What: fmt.Sprintf("the program %s is not in PATH", name), Remedy: remedy + ", or " + inVirtualTime}
	}
	return nil
}

// Netem returns a *Missing if the kernel cannot impair links: it lacks sch_netem. Another
// error says why that could not be tried.
func Netem() error { return netem() }

var netem = sync.OnceValue(func() error {
	return judge("netem", "sch_netem", "CONFIG_NET_SCH_NETEM", unix.ENOENT, func() error {
		ns, err := netns.New("netem?")
		if err != nil {
			return err
		}
		defer func() { _ = ns.Close() }()
		links, err := link.Open(ns)
		if err != nil {
			return err
		}
		defer links.Close()
		return links.Impair("lo", link.Impairment{Delay: time.Millisecond})
	})
})

// SCTP returns a *Missing if the kernel has no SCTP. Another error says why that could not
// be tried.
func SCTP() error { return sctp() }

var sctp = sync.OnceValue(func() error {
	return judge("SCTP", "sctp", "CONFIG_IP_SCTP", unix.EPROTONOSUPPORT, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	})
})

// judge tries a feature that the kernel has as a module, or built in by an option. The
// kernel answers with the errno absent if it has neither.
func judge(feature, module, option string, absent unix.Errno, try func() error) error {
	switch err := try(); {
	case errors.Is(err, absent):
		return &Missing{
			What:   "the kernel has no " + feature,
			Remedy: fmt.Sprintf("load the module %s, use a kernel with %s, or %s", module, option, inVirtualTime),
		}
	case err != nil:
		return fmt.Errorf("finding out whether the kernel has %s: %w", feature, err)
	}
	return nil
}

package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// PowerOff is a power cut: the host vanishes with all its programs and sockets, without
// sending a packet. It works in every topology.
type PowerOff struct {
	Host *harness.Host // must be set
}

// String implements harness.Fault.
func (f PowerOff) String() string { return fmt.Sprintf("the %s loses power", f.Host.Name()) }

// Apply implements harness.Fault.
func (f PowerOff) Apply(*harness.Lab) error { return f.Host.PowerOff() }

// Heal implements harness.Healer: it reboots the host. The host answers again, and knows
// nothing of its earlier connections. Heal returns an error if the kernel still has an SCTP
// association of the host, which no program can end.
func (f PowerOff) Heal(*harness.Lab) error { return f.Host.PowerOn() }

// Commands implements harness.Fault.
func (f PowerOff) Commands(*harness.Lab) []string {
	return []string{
		"# on the " + f.Host.Name() + " (at once: no sync, no FIN)",
		"echo 1 > /proc/sys/kernel/sysrq",
		"echo o > /proc/sysrq-trigger   # b instead of o reboots",
	}
}

// PowerOffFrozen is a power cut whose other end has a program that is stopped (SIGSTOP): only
// that end's kernel acts, so that keepalive shows which heartbeats of the program hide. It works
// in every topology.
type PowerOffFrozen struct {
	Host    *harness.Host    // loses power; must be set
	Program *harness.Program // is stopped; must be set
}

// String implements harness.Fault.
func (f PowerOffFrozen) String() string {
	return fmt.Sprintf("%v is stopped (SIGSTOP), and the %s loses power", f.Program, f.Host.Name())
}

// Apply implements harness.Fault.
func (f PowerOffFrozen) Apply(lab *harness.Lab) error {
	if err := (ProcessStopped{f.Program}).Apply(lab); err != nil {
		return err
	}
	return PowerOff{f.Host}.Apply(lab)
}

// Commands implements harness.Fault.
func (f PowerOffFrozen) Commands(lab *harness.Lab) []string {
	return append([]string{"kill -STOP $(pidof PROGRAM)"}, PowerOff{f.Host}.Commands(lab)...)
}

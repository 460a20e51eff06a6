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

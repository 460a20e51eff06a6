package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
)

// Reboot is a power cut after which the host comes back: Apply takes the power, and Heal,
// after Off, boots the host, which knows nothing of its earlier connections. It works in every
// topology.
type Reboot struct {
	Host *harness.Host // must be set
	Off  time.Duration // how long the host is off; the caller waits
}

// String implements harness.Fault.
func (f Reboot) String() string {
	return fmt.Sprintf("the %s loses power, and boots %v later", f.Host.Name(), f.Off)
}

// Apply implements harness.Fault.
func (f Reboot) Apply(lab *harness.Lab) error { return PowerOff{f.Host}.Apply(lab) }

// Heal implements harness.Healer, as that of PowerOff.
func (f Reboot) Heal(lab *harness.Lab) error { return PowerOff{f.Host}.Heal(lab) }

// Lasts implements Ending.
func (f Reboot) Lasts() time.Duration { return f.Off }

// Commands implements harness.Fault.
func (f Reboot) Commands(*harness.Lab) []string {
	return []string{
		"# on the " + f.Host.Name() + " (at once: no sync, no FIN)",
		"echo 1 > /proc/sys/kernel/sysrq",
		"echo b > /proc/sysrq-trigger   # the time that it is off is what its boot takes",
	}
}

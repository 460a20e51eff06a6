package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
)

// Outage is a path that is silent in both directions and then works again, as after a failover
// or a route that converges: Apply drops the packets as SilentDrop does, and Heal, after For,
// lets them through. It works in every topology.
type Outage struct {
	For time.Duration // how long the path is silent; the caller waits
}

// String implements harness.Fault.
func (f Outage) String() string {
	return fmt.Sprintf("packets in both directions are dropped silently for %v", f.For)
}

// Apply implements harness.Fault.
func (f Outage) Apply(lab *harness.Lab) error { return SilentDrop{}.Apply(lab) }

// Heal implements harness.Healer: it lets the packets through again.
func (f Outage) Heal(lab *harness.Lab) error { return SilentDrop{}.Heal(lab) }

// Lasts implements Ending.
func (f Outage) Lasts() time.Duration { return f.For }

// Commands implements harness.Fault.
func (f Outage) Commands(lab *harness.Lab) []string {
	return append(SilentDrop{}.Commands(lab), fmt.Sprintf("sleep %g   # then delete the rules (-D instead of -A)", f.For.Seconds()))
}

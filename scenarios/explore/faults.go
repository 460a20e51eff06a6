package explore

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// DefaultFaults are the faults that strike unless others are asked for, by their titles. Every
// subject can be struck by them.
func DefaultFaults() []string {
	return []string{
		scenarios.ProcessKilled{}.Title(),
		scenarios.PowerOff{}.Title(),
		scenarios.SilentDrop{}.Title(),
		scenarios.SilentDrop{Direction: scenarios.TowardsServer}.Title(),
		scenarios.SilentDrop{Direction: scenarios.TowardsClient}.Title(),
		scenarios.StateFlush{Then: firewall.ResetSender}.Title(),
	}
}

// parse returns the fault with a title, in the one way in which the title is written, and
// whether it can be healed: one that ends by itself is not.
func parse(title string) (name string, heals bool, err error) {
	f, err := scenarios.Parse(title)
	if err != nil {
		return "", false, fmt.Errorf("%w (--fault)", err)
	}
	_, heals = f.(harness.Healer)
	if _, ends := f.(scenarios.Ending); ends {
		heals = false
	}
	return f.Title(), heals, nil
}

package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// IdleTimeout is a firewall, on every path, that forgets a flow after a time without packets.
// Apply it before the connection is made: the firewall knows only flows whose
// beginning it saw.
type IdleTimeout struct {
	After time.Duration // whole seconds, as conntrack counts
	Then  firewall.AfterExpiry
	// RefreshedBy is whose packets restart the timer; the zero value, both ways,
	// is what most firewalls do.
	RefreshedBy Direction
}

// String implements harness.Fault.
func (f IdleTimeout) String() string {
	text := fmt.Sprintf("the firewall forgets flows idle for %v, then %v", f.After, f.Then)
	if f.RefreshedBy != BothWays {
		text += fmt.Sprintf("; only packets %v refresh them", f.RefreshedBy)
	}
	return text
}

// Apply implements harness.Fault.
func (f IdleTimeout) Apply(lab *harness.Lab) error {
	if err := needsFirewall(lab); err != nil {
		return err
	}
	for i, path := range lab.Paths() {
		router := lab.Firewalls()[i]
		if err := router.IdleTimeout(f.After, f.Then); err != nil {
			return err
		}
		from := path.Hosts[0] // whose packets refresh a flow
		switch f.RefreshedBy {
		case BothWays:
			continue
		case TowardsClient:
			from = path.Hosts[2]
		}
		if err := router.RefreshOnlyFrom(path.Hosts[1].LinkTo(from), f.After); err != nil {
			return err
		}
	}
	return nil
}

const noCommandResetsBoth = "# no command resets both ends the moment the timer fires: the harness watches the flow and forges the RSTs"

// Commands implements harness.Fault.
func (f IdleTimeout) Commands(lab *harness.Lab) []string {
	if err := needsFirewall(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	var commands []string
	for _, path := range lab.Paths() {
		commands = append(commands, "# on the "+path.Hosts[1].Name())
		commands = append(commands, firewall.PolicyCommands(f.After, f.Then)...)
	}
	if f.Then == firewall.ResetBoth {
		commands = append(commands, noCommandResetsBoth)
	}
	if f.RefreshedBy != BothWays {
		commands = append(commands, fmt.Sprintf("# no command lets only packets %v refresh a flow: the harness watches it", f.RefreshedBy))
	}
	return commands
}

package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// IdleTimeout makes the firewall of every path forget a flow after a time without packets.
// Apply it before the connections are made: the firewall knows only flows whose beginning it
// has seen, and Apply returns an error if the client has TCP connections. It needs a firewall. It plays the timeouts of TCP and SCTP
// (nf_conntrack-sysctl.rst, nf_conntrack_tcp_timeout_established).
type IdleTimeout struct {
	// After is the idle timeout in whole seconds, at least one; Apply returns an error for
	// anything else.
	After time.Duration
	// Then is what the firewall does with packets of a flow that it has forgotten. The zero
	// value is firewall.SilentDrop.
	Then firewall.AfterExpiry
	// RefreshedBy is the direction whose packets restart the timer. The zero value, both
	// directions, is what most firewalls do.
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
	if n := lab.Client.Count(sock.Established); n > 0 {
		return fmt.Errorf("the client has %d TCP connections whose beginning the firewall has not tracked: it would treat them as forgotten at once: apply the idle timeout before they are made", n)
	}
	for i, path := range lab.Paths() {
		router := lab.Firewalls()[i]
		if err := router.IdleTimeout(f.After, f.Then); err != nil {
			return err
		}
		from := path.Hosts[0] // the host whose packets refresh a flow
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

const noCommandResetsBoth = "# no shell command resets both ends the moment the timer expires: the harness watches the flow and forges the RSTs"

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
		commands = append(commands, fmt.Sprintf("# no shell command lets only packets %v refresh a flow: the harness watches the flow", f.RefreshedBy))
	}
	return commands
}

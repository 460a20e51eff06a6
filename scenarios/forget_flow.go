package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// ForgetFlow makes the firewall forget one connection now, on command: what an
// idle timeout does, without the waiting. Packets of the connection then meet the
// firewall's policy.
type ForgetFlow struct{ Client *harness.Conn }

// String implements harness.Fault.
func (f ForgetFlow) String() string { return "the firewall forgets the flow now" }

// Apply implements harness.Fault.
func (f ForgetFlow) Apply(lab *harness.Lab) error {
	if err := needsFirewall(lab); err != nil {
		return err
	}
	return lab.Firewall().Forget(f.Client.Local(), f.Client.Remote())
}

// Commands implements harness.Fault.
func (f ForgetFlow) Commands(*harness.Lab) []string {
	return []string{
		"# on the firewall",
		fmt.Sprintf("conntrack -D -p tcp -s %v --sport %d -d %v --dport %d",
			f.Client.Local().Addr(), f.Client.Local().Port(), f.Client.Remote().Addr(), f.Client.Remote().Port()),
	}
}

// StateFlush makes the firewall forget every flow at once, as a reboot or a
// failover without state synchronisation does. What becomes of the flows depends
// on Then: PickUp carries on with them, anything else is strict.
type StateFlush struct{ Then firewall.AfterExpiry }

// String implements harness.Fault.
func (f StateFlush) String() string {
	return fmt.Sprintf("the firewall loses its state, then %v", f.Then)
}

// Apply implements harness.Fault.
func (f StateFlush) Apply(lab *harness.Lab) error {
	if err := needsFirewall(lab); err != nil {
		return err
	}
	if err := lab.Firewall().Policy(f.Then); err != nil {
		return err
	}
	return lab.Firewall().Flush()
}

// Commands implements harness.Fault.
func (f StateFlush) Commands(*harness.Lab) []string {
	return []string{"# on the firewall, whose policy stands", "conntrack -F"}
}

package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// ForgetFlow makes the firewall forget one connection at once: it does what an idle timeout
// does, without the wait. The firewall's policy then decides what happens to packets of the
// connection. It needs a firewall that knows the flow; otherwise Apply returns an error.
type ForgetFlow struct {
	Client *harness.Conn // the client's end of the connection; must be set
}

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

// StateFlush makes the firewall forget every flow at once, as a reboot does, or a failover
// without state synchronisation. It needs a firewall.
type StateFlush struct {
	// Then is what the firewall does with packets of a flow that it has forgotten. With
	// firewall.PickUp the flow goes on; every other policy is strict. The zero value is
	// firewall.SilentDrop.
	Then firewall.AfterExpiry
}

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
	return []string{"# on the firewall, which keeps its rules", "conntrack -F"}
}

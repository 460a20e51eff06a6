package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// NATRebinding makes a NAT forget a mapping and give the flow's next packet another source
// port, so that the server sees a stranger. It needs a NAT: NATed.
type NATRebinding struct {
	Client *harness.Conn      // the client's end of the flow; nil means every flow
	Ports  firewall.PortRange // the ports for the new mapping; zero keeps the client's port if it is free
}

// String implements harness.Fault.
func (f NATRebinding) String() string {
	return fmt.Sprintf("the NAT forgets the mapping and takes another from ports %d to %d", f.Ports.First, f.Ports.Last)
}

// Apply implements harness.Fault.
func (f NATRebinding) Apply(lab *harness.Lab) error {
	nat := lab.First(harness.NAT)
	if nat == nil {
		return fmt.Errorf("the topology %v has no NAT: use NATed", lab.Topology())
	}
	if err := nat.Firewall().Masquerade(nat.LinkTowardsServer(), f.Ports); err != nil {
		return err
	}
	if f.Client == nil {
		return nat.Firewall().Flush()
	}
	return nat.Firewall().Forget(f.Client.Local(), f.Client.Remote())
}

// Commands implements harness.Fault.
func (f NATRebinding) Commands(lab *harness.Lab) []string {
	nat := lab.First(harness.NAT)
	if nat == nil {
		return []string{fmt.Sprintf("# the topology %v has no NAT: use NATed", lab.Topology())}
	}
	commands := append([]string{"# on the NAT", "iptables -t nat -F POSTROUTING", "ip6tables -t nat -F POSTROUTING"}, firewall.MasqueradeCommands(nat.LinkTowardsServer(), f.Ports)...)
	if f.Client == nil {
		return append(commands, "conntrack -F")
	}
	return append(commands, ForgetFlow{f.Client}.Commands(lab)[1:]...)
}

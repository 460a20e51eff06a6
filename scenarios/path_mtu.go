package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// ethernetMTU is what the cables of a lab carry.
const ethernetMTU = 1500

// PathMTU is a narrow place on the way to the server: the router behind the client
// cannot forward packets larger than MTU, and says so with ICMP "fragmentation
// needed" (destination unreachable, code 4; IPv6: packet too big). It needs a router.
type PathMTU struct {
	MTU int // bytes; IPv6 needs 1280 (RFC 8200 §5)
}

// String implements harness.Fault.
func (f PathMTU) String() string {
	return fmt.Sprintf("the path to the server takes packets of at most %d bytes", f.MTU)
}

// Apply implements harness.Fault.
func (f PathMTU) Apply(lab *harness.Lab) error { return f.set(lab, f.MTU) }

// Heal makes the path as wide as it was.
func (f PathMTU) Heal(lab *harness.Lab) error { return f.set(lab, ethernetMTU) }

func (f PathMTU) set(lab *harness.Lab, mtu int) error {
	if err := needsRouter(lab); err != nil {
		return err
	}
	return lab.Hosts[1].Links.SetMTU(lab.Hosts[1].LinkTo(lab.Hosts[2]), mtu)
}

// Commands implements harness.Fault.
func (f PathMTU) Commands(lab *harness.Lab) []string {
	if err := needsRouter(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	router := lab.Hosts[1]
	return []string{"# on the " + router.Name, fmt.Sprintf("ip link set %s mtu %d", router.LinkTo(lab.Hosts[2]), f.MTU)}
}

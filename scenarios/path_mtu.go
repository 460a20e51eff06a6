package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

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
func (f PathMTU) Heal(lab *harness.Lab) error { return f.set(lab, 0) }

func (f PathMTU) set(lab *harness.Lab, mtu int) error {
	router, end, err := lastRouter(lab)
	if err != nil {
		return err
	}
	for _, address := range end.Addresses() {
		if err := router.Links.NarrowRoute(router.LinkTo(end), address, mtu); err != nil {
			return err
		}
	}
	return nil
}

// Commands implements harness.Fault.
func (f PathMTU) Commands(lab *harness.Lab) []string {
	router, end, err := lastRouter(lab)
	if err != nil {
		return []string{"# " + err.Error()}
	}
	commands := []string{"# on the " + router.Name}
	for _, address := range end.Addresses() {
		commands = append(commands, fmt.Sprintf("ip route replace %v dev %s mtu %d", address, router.LinkTo(end), f.MTU))
	}
	return commands
}

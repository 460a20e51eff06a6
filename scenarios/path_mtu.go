package scenarios

import (
	"errors"
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// PathMTU narrows the path to the server: the last router cannot forward packets larger than
// MTU, and says so with ICMP "fragmentation needed" (destination unreachable, code 4; IPv6:
// packet too big). If that message is Filtered, as careless firewalls filter all ICMP, the
// path is a black hole for large packets (RFC 2923 §2.1). It needs a router.
type PathMTU struct {
	MTU      int  // in bytes; IPv6 needs at least 1280 (RFC 8200 §5)
	Filtered bool // the router's ICMP message is dropped, so that nobody is told
}

// String implements harness.Fault.
func (f PathMTU) String() string {
	text := fmt.Sprintf("the path to the server takes packets of at most %d bytes", f.MTU)
	if f.Filtered {
		text += ", and the ICMP error that says so is filtered"
	}
	return text
}

// Apply implements harness.Fault.
func (f PathMTU) Apply(lab *harness.Lab) error {
	router, _, err := lastRouter(lab)
	if err != nil {
		return err
	}
	if f.Filtered {
		if err := router.Rules().Set(f, tellNobody); err != nil {
			return err
		}
	}
	return f.set(lab, f.MTU)
}

// Heal implements harness.Healer: it makes the path as wide as before.
func (f PathMTU) Heal(lab *harness.Lab) error {
	router, _, err := lastRouter(lab)
	if err != nil {
		return err
	}
	return errors.Join(f.set(lab, 0), router.Rules().Set(f))
}

// tellNobody drops the ICMP error that the router itself sends.
var tellNobody = firewall.Rule{
	Table: "filter",
	IPv4:  "-A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP",
	IPv6:  "-A OUTPUT -p ipv6-icmp --icmpv6-type packet-too-big -j DROP",
}

func (f PathMTU) set(lab *harness.Lab, mtu int) error {
	router, end, err := lastRouter(lab)
	if err != nil {
		return err
	}
	for _, address := range end.Addresses() {
		if err := router.Links().NarrowRoute(router.LinkTo(end), address, mtu); err != nil {
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
	commands := []string{"# on the " + router.Name()}
	if f.Filtered {
		commands = append(commands, firewall.Commands(tellNobody)...)
	}
	for _, address := range end.Addresses() {
		commands = append(commands, fmt.Sprintf("ip route replace %v dev %s mtu %d", address, router.LinkTo(end), f.MTU))
	}
	return commands
}

package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// ICMP is an ICMP error by its IPv4 name; IPv6 has a counterpart for each but
// ProtocolUnreachable (RFC 792, RFC 4443 §3).
type ICMP int

// The ICMP errors that a router can give as its only answer.
const (
	NetUnreachable      ICMP = iota // destination unreachable, code 0; IPv6: no route, code 0
	HostUnreachable                 // code 1; IPv6: address unreachable, code 3
	ProtocolUnreachable             // code 2; IPv6: administratively prohibited, code 1
	PortUnreachable                 // code 3; IPv6: code 4
	TimeExceeded                    // the routing loop: time or hop limit exceeded in transit
)

// rejectWith are the names that iptables' REJECT has for them.
var rejectWith = map[ICMP]struct{ ipv4, ipv6 string }{
	NetUnreachable:      {"icmp-net-unreachable", "icmp6-no-route"},
	HostUnreachable:     {"icmp-host-unreachable", "icmp6-addr-unreachable"},
	ProtocolUnreachable: {"icmp-proto-unreachable", "icmp6-adm-prohibited"},
	PortUnreachable:     {"icmp-port-unreachable", "icmp6-port-unreachable"},
}

// String names the error.
func (i ICMP) String() string {
	switch i {
	case NetUnreachable:
		return "network unreachable"
	case HostUnreachable:
		return "host unreachable"
	case ProtocolUnreachable:
		return "protocol unreachable"
	case PortUnreachable:
		return "port unreachable"
	case TimeExceeded:
		return "time exceeded"
	}
	return fmt.Sprintf("error %d", int(i))
}

// ICMPError is a router that answers every packet from the client with an ICMP
// error instead of forwarding it. It needs a router behind the client.
type ICMPError struct{ Answer ICMP }

// String implements harness.Fault.
func (f ICMPError) String() string {
	return fmt.Sprintf("the router answers packets towards the server with ICMP %v", f.Answer)
}

// Apply implements harness.Fault.
func (f ICMPError) Apply(lab *harness.Lab) error {
	if err := needsRouter(lab); err != nil {
		return err
	}
	if _, known := rejectWith[f.Answer]; !known && f.Answer != TimeExceeded {
		return fmt.Errorf("there is no ICMP %v", f.Answer)
	}
	return lab.Hosts()[1].Rules().Set(f, f.rule(lab))
}

// Heal makes the router forward again.
func (f ICMPError) Heal(lab *harness.Lab) error { return lab.Hosts()[1].Rules().Set(f) }

// Commands implements harness.Fault.
func (f ICMPError) Commands(lab *harness.Lab) []string {
	if err := needsRouter(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	return append([]string{"# on the " + lab.Hosts()[1].Name()}, firewall.Commands(f.rule(lab))...)
}

func (f ICMPError) rule(lab *harness.Lab) firewall.Rule {
	from := lab.Hosts()[1].LinkTo(lab.Client)
	if f.Answer == TimeExceeded {
		// What a routing loop leaves of a packet: the last hop.
		return firewall.Rule{
			Table: "mangle",
			IPv4:  fmt.Sprintf("-A PREROUTING -i %s -j TTL --ttl-set 1", from),
			IPv6:  fmt.Sprintf("-A PREROUTING -i %s ! -p ipv6-icmp -j HL --hl-set 1", from),
		}
	}
	with := rejectWith[f.Answer]
	return firewall.Rule{
		Table: "filter",
		IPv4:  fmt.Sprintf("-A FORWARD -i %s -j REJECT --reject-with %s", from, with.ipv4),
		IPv6:  fmt.Sprintf("-A FORWARD -i %s -j REJECT --reject-with %s", from, with.ipv6),
	}
}

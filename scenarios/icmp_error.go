package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// ICMP is an ICMP error by its IPv4 name (RFC 792). IPv6 has a counterpart for each except
// ProtocolUnreachable, for which the router sends another error (RFC 4443 §3).
type ICMP int

// The ICMP errors with which a router can answer. The zero value is NetUnreachable.
const (
	NetUnreachable      ICMP = iota // destination unreachable, code 0; IPv6: no route, code 0
	HostUnreachable                 // code 1; IPv6: address unreachable, code 3
	ProtocolUnreachable             // code 2; IPv6: administratively prohibited, code 1
	PortUnreachable                 // code 3; IPv6: code 4
	TimeExceeded                    // time to live, or hop limit, exceeded in transit: a routing loop
)

// rejectWith holds the names of the errors for iptables' REJECT.
var rejectWith = map[ICMP]struct{ ipv4, ipv6 string }{
	NetUnreachable:      {"icmp-net-unreachable", "icmp6-no-route"},
	HostUnreachable:     {"icmp-host-unreachable", "icmp6-addr-unreachable"},
	ProtocolUnreachable: {"icmp-proto-unreachable", "icmp6-adm-prohibited"},
	PortUnreachable:     {"icmp-port-unreachable", "icmp6-port-unreachable"},
}

// String returns the error's name: "host unreachable".
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

// ICMPError makes the router answer every packet from the client with an ICMP error instead
// of forwarding it. It needs a router next to the client. Apply returns an error for an
// Answer that does not exist.
type ICMPError struct {
	Answer ICMP // the zero value is NetUnreachable
}

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

// Heal implements harness.Healer: it makes the router forward packets again.
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
		// A packet in a routing loop ends like this: at a router, with one hop left.
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

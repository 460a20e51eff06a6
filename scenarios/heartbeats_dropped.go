package scenarios

import (
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// HeartbeatsDropped makes the router drop the packets that carry an SCTP HEARTBEAT chunk, in
// both directions, and forward all others. It needs a router next to the client, and a kernel
// with the match xt_sctp (iptables-extensions(8), sctp).
type HeartbeatsDropped struct{}

// String implements harness.Fault.
func (f HeartbeatsDropped) String() string {
	return "the router drops SCTP heartbeats, and nothing else"
}

// Apply implements harness.Fault.
func (f HeartbeatsDropped) Apply(lab *harness.Lab) error {
	if err := needsRouter(lab); err != nil {
		return err
	}
	return lab.Hosts()[1].Rules().Set(f, f.rule())
}

// Heal implements harness.Healer: it makes the router forward heartbeats again.
func (f HeartbeatsDropped) Heal(lab *harness.Lab) error { return lab.Hosts()[1].Rules().Set(f) }

// Commands implements harness.Fault.
func (f HeartbeatsDropped) Commands(lab *harness.Lab) []string {
	if err := needsRouter(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	return append([]string{"# on the " + lab.Hosts()[1].Name()}, firewall.Commands(f.rule())...)
}

func (f HeartbeatsDropped) rule() firewall.Rule {
	const drop = "-A PREROUTING -p sctp -m sctp --chunk-types any HEARTBEAT -j DROP"
	return firewall.Rule{Table: "raw", IPv4: drop, IPv6: drop}
}

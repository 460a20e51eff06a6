package audit

import (
	"errors"
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Protocol is the transport protocol of a program's connections.
type Protocol string

// The protocols.
const (
	TCP  Protocol = ""
	SCTP Protocol = "sctp" // an association with one path, of sockets of the one-to-one style
)

// watchOfSCTP is how long each fault of an association is watched. By the kernel's defaults an idle
// one is given up after 13 minutes at the latest (oracle.DefaultSCTP).
const watchOfSCTP = 30 * time.Minute

// conntrackOfSCTP is the idle timeout of an association in Linux's connection tracking
// (net/netfilter/nf_conntrack_proto_sctp.c, sctp_timeouts: ESTABLISHED).
const conntrackOfSCTP = 210 * time.Second

// bySCTPDefault are the faults that an audit of SCTP measures unless it is limited to some.
var bySCTPDefault = []string{
	scenarios.ProcessKilled{}.Title(),
	scenarios.ProcessRestarted{Away: restartTime}.Title(),
	scenarios.PeerResets{After: 120 * time.Second}.Title(),
	scenarios.ProcessStopped{}.Title(),
	scenarios.PowerOff{}.Title(),
	answer.Title(scenarios.PowerOff{}.Title(), answer.Busy),
	scenarios.PowerOffFrozen{}.Title(),
	scenarios.Reboot{Off: rebootTime}.Title(),
	scenarios.HeartbeatsDropped{}.Title(),
	scenarios.OneOfTwoPaths{}.Title(),
	scenarios.IdleTimeout{After: conntrackOfSCTP}.Title(),
	scenarios.Outage{For: 45 * time.Second}.Title(),
}

// strikesAssociation returns how a trial makes a fault happen to an SCTP association; ok is false
// for a fault that is not measured over SCTP.
func strikesAssociation(named scenarios.Named) (f fault, ok bool) {
	switch n := named.(type) {
	case scenarios.ProcessKilled:
		return fault{dead: true, announced: true, strike: (*trial).killAssociated}, true
	case scenarios.ProcessRestarted:
		return fault{dead: true, announced: true, strike: (*trial).killAssociated, then: (*trial).restartProcess, while: n.Lasts()}, true
	case scenarios.ProcessStopped:
		return fault{dead: true, strike: (*trial).stopAssociated}, true
	case scenarios.PeerResets:
		return fault{dead: true, passing: true, announced: true, while: n.After, strike: func(t *trial) error { return t.abortAssociation(n.After) }}, true
	case scenarios.PowerOff:
		return fault{dead: true, strike: (*trial).powerOffAssociated}, true
	case scenarios.PowerOffFrozen:
		return fault{dead: true, strike: (*trial).powerOffFrozen}, true
	case scenarios.Reboot:
		return fault{dead: true, strike: (*trial).powerOffAssociated, then: (*trial).powerOn, while: n.Lasts()}, true
	case scenarios.SilentDrop, scenarios.CableOut:
		return fault{dead: true, strike: applying(named)}, true
	case scenarios.Outage:
		return fault{strike: applying(n), then: healing(n), while: n.Lasts()}, true
	case scenarios.IdleTimeout:
		return fault{idle: n.After, before: func(t *trial) { t.lab.Apply(n) }}, n.Then == firewall.SilentDrop
	case scenarios.OneOfTwoPaths:
		return fault{topology: harness.Multihomed, strike: applying(n)}, true
	case scenarios.HeartbeatsDropped:
		return fault{strike: applying(named)}, true
	case scenarios.ImpairedPath:
		return fault{impairs: true, strike: applying(named)}, true
	}
	return fault{}, false
}

func (r Request) checkProtocol() error {
	switch {
	case r.Protocol == TCP:
		return nil
	case r.Protocol != SCTP:
		return fmt.Errorf("the protocol is %q: it must be %s, or left out for TCP (--protocol)", r.Protocol, SCTP)
	case r.Conversation.Like != "" || r.Conversation.TLS || r.Send == "" && !r.Echo && r.Conversation.Says():
		return errors.New("over SCTP the fixture has no conversation: it sends one message (--send), and sends back what it receives (--echo)")
	case len(r.Presets)+len(r.Expect.Survives) > 0:
		return errors.New("middleboxes are not measured over SCTP: leave the presets out")
	}
	return nil
}

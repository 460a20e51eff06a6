package firewall

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ti-mo/conntrack"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// AfterExpiry is what a firewall does with packets of a flow that it has
// forgotten.
type AfterExpiry int

// What firewalls do after the idle timeout.
const (
	SilentDrop  AfterExpiry = iota // discards the packets: neither end learns anything
	ResetSender                    // answers the next sender with RST: the other end stays half-open
	ResetBoth                      // sends RST to both ends the moment the timer fires
	PickUp                         // takes the next packet for a new flow (Linux's default, tcp_loose=1)
)

// String says it in words.
func (a AfterExpiry) String() string {
	switch a {
	case SilentDrop:
		return "silent drop"
	case ResetSender:
		return "RST to the next sender"
	case ResetBoth:
		return "RST to both ends at expiry"
	case PickUp:
		return "loose pick-up"
	}
	return fmt.Sprintf("policy %d", int(a))
}

// establishedTimeouts are the sysctls of an idle timeout. Timeouts that a policy leaves
// alone are the kernel's own (nf_conntrack_proto_tcp.c, tcp_timeouts, and
// nf_conntrack_proto_sctp.c, sctp_timeouts): unacknowledged data 300 s, FIN_WAIT 120 s,
// CLOSE_WAIT 60 s, a HEARTBEAT that was not answered 30 s.
var establishedTimeouts = []string{"nf_conntrack_tcp_timeout_established", "nf_conntrack_sctp_timeout_established"}

const policyOwner Named = "the policy" // has the rules that IdleTimeout and Policy set

// Firewall is the router between the peers of a lab. It forwards everything and
// tracks nothing until it is given a policy. The zero value is not usable; make
// one with Open. But for its Rules it is not safe for concurrent use.
type Firewall struct {
	*Rules
	ns         *netns.Namespace
	conntrack  *conntrack.Conn
	stopRecord func()
	packets    *capture.Capture
	timeline   *timeline.Timeline
	after      AfterExpiry
	watch      *expiryWatch // nil unless something must happen the moment a flow expires
	closed     bool
}

// Open makes a firewall of a namespace that forwards packets, all of which the
// capture sees. Conntrack events go to the timeline.
func Open(ns *netns.Namespace, packets *capture.Capture, t *timeline.Timeline) (*Firewall, error) {
	conn, err := dialConntrack(ns)
	if err != nil {
		return nil, err
	}
	stop, err := record(ns, t)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &Firewall{Rules: NewRules(ns), ns: ns, conntrack: conn, stopRecord: stop, packets: packets, timeline: t}, nil
}

// Close stops the firewall's watching. Its rules go with its namespace. Closing
// twice does nothing.
func (f *Firewall) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	f.stopWatch()
	f.stopRecord()
	return f.conntrack.Close()
}

// policy is the rules of one policy. The rules also switch connection tracking
// on: without one that asks for the state, the kernel tracks nothing.
func (a AfterExpiry) rules() []Rule {
	switch a {
	case ResetSender:
		return []Rule{
			// REJECT never answers an RST, so two firewalls do not fight.
			Filter("-A FORWARD -p tcp -m conntrack --ctstate INVALID -j REJECT --reject-with tcp-reset"),
			Filter("-A FORWARD -m conntrack --ctstate INVALID -j DROP"),
		}
	case PickUp:
		return []Rule{Filter("-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT")}
	default:
		return []Rule{Filter("-A FORWARD -m conntrack --ctstate INVALID -j DROP")}
	}
}

// loose is net.netfilter.nf_conntrack_tcp_loose: whether a packet in the middle
// of a flow opens an entry. Without it such a packet is INVALID.
func (a AfterExpiry) loose() int {
	if a == PickUp {
		return 1
	}
	return 0
}

// IdleTimeout makes the firewall forget a flow after timeout without a packet in
// either direction, and then do as after says. Conntrack counts in whole seconds.
// Flows that were opened before are not known to the firewall.
func (f *Firewall) IdleTimeout(timeout time.Duration, after AfterExpiry) error {
	if timeout < time.Second || timeout%time.Second != 0 {
		return fmt.Errorf("setting the idle timeout of %s to %v: conntrack counts in whole seconds from 1 s", f.ns.Name(), timeout)
	}
	if err := f.Policy(after); err != nil {
		return err
	}
	if after == ResetBoth {
		f.watchExpiry(timeout, "")
	}
	for _, name := range establishedTimeouts {
		if err := f.sysctl(name, int(timeout/time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// Policy says what happens to packets of flows that the firewall does not know,
// and leaves the timeouts as they are.
func (f *Firewall) Policy(after AfterExpiry) error {
	if after < SilentDrop || after > PickUp {
		return fmt.Errorf("setting the policy of %s to %v: there is no such policy", f.ns.Name(), after)
	}
	f.stopWatch()
	if err := f.sysctl("nf_conntrack_tcp_loose", after.loose()); err != nil {
		return err
	}
	f.after = after
	return f.Set(policyOwner, after.rules()...)
}

// complain records what went wrong where no caller waits for an error.
func (f *Firewall) complain(err error) {
	if err != nil {
		f.timeline.Addf(f.ns.Name(), timeline.Step, "%v", err)
	}
}

// PolicyCommands are the shell commands that do by hand what IdleTimeout does.
// ResetBoth has none: iptables cannot act at the moment of expiry.
func PolicyCommands(timeout time.Duration, after AfterExpiry) []string {
	var commands []string
	for _, name := range establishedTimeouts {
		commands = append(commands, fmt.Sprintf("sysctl -w net.netfilter.%s=%d", name, int(timeout/time.Second)))
	}
	commands = append(commands, fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_tcp_loose=%d", after.loose()))
	return append(commands, Commands(after.rules()...)...)
}

func (f *Firewall) sysctl(name string, value int) error {
	err := f.ns.Do(func() error { return sysctl.Write("net/netfilter/"+name, strconv.Itoa(value)) })
	if err != nil {
		return fmt.Errorf("%s: %w", f.ns.Name(), err)
	}
	return nil
}

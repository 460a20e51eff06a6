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

// AfterExpiry is what a firewall does with a flow after its idle timeout.
type AfterExpiry int

// What firewalls do after an idle timeout.
const (
	SilentDrop  AfterExpiry = iota // it drops later packets: neither end learns anything
	ResetSender                    // it answers the next sender with RST: the other end stays half-open
	ResetBoth                      // it sends RST to both ends when the timer fires
	PickUp                         // it takes the next packet for a new flow (Linux's default, tcp_loose=1)
)

// String returns it in words.
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

// establishedTimeouts are the sysctls of an idle timeout. The other timeouts stay the
// kernel's: 300 s with unacknowledged data, 120 s in FIN_WAIT, 60 s in CLOSE_WAIT, 30 s
// after an unanswered HEARTBEAT (nf_conntrack_proto_tcp.c, tcp_timeouts;
// nf_conntrack_proto_sctp.c, sctp_timeouts).
var establishedTimeouts = []string{"nf_conntrack_tcp_timeout_established", "nf_conntrack_sctp_timeout_established"}

const policyOwner Named = "the policy" // of the rules that IdleTimeout and Policy set

// Firewall is a router between the peers of a lab. Without a policy, it forwards everything
// and tracks nothing. The zero value is not usable; make one with Open. Its Rules are safe
// for concurrent use, the rest is not.
type Firewall struct {
	*Rules
	ns         *netns.Namespace
	conntrack  *conntrack.Conn
	stopRecord func()
	packets    *capture.Capture
	timeline   *timeline.Timeline
	after      AfterExpiry
	watch      *expiryWatch // nil unless something must happen when a flow expires
	closed     bool
}

// Open makes a firewall of a namespace that forwards packets. The capture must see all of
// its packets. Conntrack events go to the timeline.
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

// Close stops the firewall's goroutines. The kernel removes its rules with its namespace. A
// second Close does nothing.
func (f *Firewall) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	f.stopWatch()
	f.stopRecord()
	return f.conntrack.Close()
}

// rules returns the rules of a policy. They also switch connection tracking on: the kernel
// tracks nothing unless a rule asks for the state.
func (a AfterExpiry) rules() []Rule {
	switch a {
	case ResetSender:
		return []Rule{
			// REJECT never answers an RST, so that two firewalls do not answer each other.
			Filter("-A FORWARD -p tcp -m conntrack --ctstate INVALID -j REJECT --reject-with tcp-reset"),
			Filter("-A FORWARD -m conntrack --ctstate INVALID -j DROP"),
		}
	case PickUp:
		return []Rule{Filter("-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT")}
	default:
		return []Rule{Filter("-A FORWARD -m conntrack --ctstate INVALID -j DROP")}
	}
}

// loose returns the value of net.netfilter.nf_conntrack_tcp_loose. With 1, a packet in the
// middle of a flow makes an entry. With 0, such a packet is INVALID.
func (a AfterExpiry) loose() int {
	if a == PickUp {
		return 1
	}
	return 0
}

// IdleTimeout makes the firewall forget a flow after a time without a packet in either
// direction, and says what it does then. The time is in whole seconds, one at least. The
// firewall does not know flows that were opened before.
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

// Policy says what the firewall does with packets of flows that it does not know. It does
// not change the timeouts.
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

// complain adds an error to the timeline where there is no caller to return it to.
func (f *Firewall) complain(err error) {
	if err != nil {
		f.timeline.Addf(f.ns.Name(), timeline.Step, "%v", err)
	}
}

// PolicyCommands returns the shell commands that do by hand what IdleTimeout does, except
// for ResetBoth: iptables cannot act when a flow expires.
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

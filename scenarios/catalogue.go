package scenarios

import (
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/quantity"
)

// FirewallTimeout is the idle timeout of the firewalls in the detection matrix and in
// audits: that of Amazon's network load balancers and NAT gateways (fixtures/presets).
const FirewallTimeout = 350 * time.Second

// The limits of values. A firewall's timeout ends where a watch of twice its length is still
// sensible, and a delay where TCP's longest retransmission timeout is half of it.
var (
	upToADay     = quantity.Range{Unit: quantity.Seconds, Least: 1, Most: 24 * 60 * 60}
	idleTimeouts = quantity.Range{Unit: quantity.Seconds, Least: 1, Most: 7 * 24 * 60 * 60}
	delays       = quantity.Range{Unit: quantity.Milliseconds, Least: 1, Most: 60 * 1000}
	losses       = quantity.Range{Unit: quantity.Percent, Least: 1, Most: 99}
)

// blackHole is the path MTU of a black hole: the least that IPv6 needs (RFC 8200 §5), so that
// it suits both families.
const blackHole = 1280

// rebound are the ports from which a NAT takes the new mapping of a rebinding. No client of an
// audit connects from them.
var rebound = firewall.PortRange{First: 61000, Last: 61999}

// kinds are all faults that can be named, in the order in which they are listed. Their words
// are those of the faults' Title methods.
var kinds = []Kind{
	{What: "the peer's program is killed, and its kernel closes the connection",
		fault: func(int) Named { return ProcessKilled{} }},
	{What: "the peer sends FIN, and goes on reading",
		fault: func(int) Named { return HalfClose{} }},
	{What: "the peer's program hangs, and its kernel goes on answering",
		fault: func(int) Named { return ProcessStopped{} }},
	{What: "the peer aborts the connection with RST once it has carried no data for that time", Values: upToADay, example: 120,
		fault: func(n int) Named { return PeerResets{After: quantity.Seconds.Time(n)} }},
	{What: "a middlebox sends the program an RST in the peer's name, with the sequence number that is expected next",
		fault: func(int) Named { return ForgedReset{} }},
	{What: "the same, with another sequence number of the window: the program's kernel asks the peer (RFC 5961)",
		fault: func(int) Named { return ForgedReset{Number: InWindow} }},
	{What: "the same, with a sequence number that is over: the program's kernel ignores it",
		fault: func(int) Named { return ForgedReset{Number: Stale} }},
	{What: "the peer's program is killed, and started again that time later: who connects meanwhile is refused", Values: upToADay, example: 10,
		fault: func(n int) Named { return ProcessRestarted{Away: quantity.Seconds.Time(n)} }},
	{What: "the peer's host loses power: nobody answers any more",
		fault: func(int) Named { return PowerOff{} }},
	{What: "the peer's host loses power, and the program under test is stopped: its kernel alone acts",
		fault: func(int) Named { return PowerOffFrozen{} }},
	{What: "the peer's host loses power, and boots that time later", Values: upToADay, example: 60,
		fault: func(n int) Named { return Reboot{Off: quantity.Seconds.Time(n)} }},
	{What: "the path drops everything, and tells nobody",
		fault: func(int) Named { return SilentDrop{} }},
	{What: "the path drops what the client sends",
		fault: func(int) Named { return SilentDrop{Direction: TowardsServer} }},
	{What: "the path drops what the server sends",
		fault: func(int) Named { return SilentDrop{Direction: TowardsClient} }},
	{What: "the path drops everything for that time, and then works again", Values: upToADay, example: 45,
		fault: func(n int) Named { return Outage{For: quantity.Seconds.Time(n)} }},
	{What: "of two paths between the hosts, the first drops everything",
		fault: func(int) Named { return OneOfTwoPaths{} }},
	{What: "the client's host has no carrier",
		fault: func(int) Named { return CableOut{At: ClientsEnd} }},
	{What: "the server's host has no carrier",
		fault: func(int) Named { return CableOut{At: ServersEnd} }},
	{What: "the server's host answers no ARP, and its router answers \"host unreachable\"",
		fault: func(int) Named { return NeighbourLost{} }},
	answering(NetUnreachable),
	answering(HostUnreachable),
	answering(ProtocolUnreachable),
	answering(PortUnreachable),
	answering(TimeExceeded),
	forgetting(firewall.SilentDrop, "drops its packets from then on"),
	forgetting(firewall.ResetSender, "answers its packets with RST from then on"),
	forgetting(firewall.ResetBoth, "sends RST to both ends at that moment"),
	forgetting(firewall.PickUp, "takes its next packet for a new flow"),
	{What: "a firewall loses its state, and drops the packets of the flows that it had",
		fault: func(int) Named { return StateFlush{Then: firewall.SilentDrop} }},
	{What: "a firewall loses its state, and answers the packets of the flows that it had with RST",
		fault: func(int) Named { return StateFlush{Then: firewall.ResetSender} }},
	{What: "a middlebox sends RST to both ends, to each in the name of the other",
		fault: func(int) Named { return ResetBothEnds{} }},
	{What: "a NAT gives the flow another port, so that the server sees a stranger",
		fault: func(int) Named { return NATRebinding{Ports: rebound} }},
	{What: "packets of more than 1280 bytes do not reach the server, and the ICMP error that says so is filtered",
		fault: func(int) Named { return PathMTU{MTU: blackHole, Filtered: true} }},
	{What: "the path loses that part of the packets, in each direction", Values: losses, example: 10,
		fault: func(n int) Named { return ImpairedPath{By: link.Impairment{Loss: float64(n)}} }},
	{What: "each packet is late by that time, in each direction", Values: delays, example: 200,
		fault: func(n int) Named {
			return ImpairedPath{By: link.Impairment{Delay: quantity.Milliseconds.Time(n)}}
		}},
	{What: "the path drops SCTP's heartbeats, and nothing else",
		fault: func(int) Named { return HeartbeatsDropped{} }},
	{What: "when the client connects, the server does not accept, and its queue is full",
		fault: func(int) Named { return AcceptQueueFull{} }},
	{What: "when the client connects, nobody answers",
		fault: func(int) Named { return ServerAway{How: Silent} }},
	{What: "when the client connects, the server's kernel answers with RST: no program listens",
		fault: func(int) Named { return ServerAway{How: Refused} }},
	{What: "when the client connects, a router answers \"host unreachable\"",
		fault: func(int) Named { return ServerAway{How: Unreachable} }},
}

// forgetting returns the kind of a firewall that forgets idle flows.
func forgetting(then firewall.AfterExpiry, what string) Kind {
	return Kind{What: "a firewall forgets a flow that is idle for that time, and " + what, Values: idleTimeouts, example: int(FirewallTimeout / time.Second),
		fault: func(n int) Named { return IdleTimeout{After: quantity.Seconds.Time(n), Then: then} }}
}

// answering returns the kind of a router that answers with an ICMP error.
func answering(with ICMP) Kind {
	return Kind{What: "a router answers what the client sends with this ICMP error, instead of forwarding it",
		fault: func(int) Named { return ICMPError{Answer: with} }}
}

// Unnamed is a fault of this package that has no title, because no audit can measure it, or another
// fault is the same to a program.
type Unnamed struct {
	What string // the words that people may write for it
	Why  string // with what to do instead
}

// AllUnnamed returns the faults that have no title, in the order in which they are listed. The caller
// owns the slice.
func AllUnnamed() []Unnamed { return slices.Clone(unnamed) }

// behindProxy is why an audit has no faults of toxiproxy.
const behindProxy = "it is a fault of toxiproxy, which an audit does not put between the two: run a proxy beside the program, and audit its leg (docs/chains.md)"

var unnamed = []Unnamed{
	{"proxy killed", behindProxy},
	{"route disabled", behindProxy},
	{"toxic", behindProxy},
	{"flow forgotten", `to one program it is what "state flushed, silent" and "state flushed, RST to the sender" are`},
	{"receiver stalls", `to a program whose peer reads no more it is "process stopped"; how much its kernel takes until it blocks is for a spec (docs/writing-a-spec.md)`},
	{"path MTU announced", `a path that announces its MTU breaks nothing: the fault is the "path-MTU black hole"`},
	{"one-way refresh", "a firewall that only one direction refreshes is a middlebox: name its preset (halfopen presets)"},
}

package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Match selects packets. The zero value matches none. Make one with Where.
type Match struct {
	name    string
	matches func(Packet) bool
}

// The matches that specs use most.
var (
	Everything     = Match{"packet", func(Packet) bool { return true }}
	Outgoing       = Match{"outgoing", func(p Packet) bool { return p.Out }}
	Incoming       = Match{"incoming", func(p Packet) bool { return !p.Out }}
	SYN            = Match{"SYN", func(p Packet) bool { return p.SYN && !p.ACK }}
	SYNACK         = Match{"SYN-ACK", func(p Packet) bool { return p.SYN && p.ACK }}
	ACK            = Match{"ACK", func(p Packet) bool { return p.ACK }}
	FIN            = Match{"FIN", func(p Packet) bool { return p.FIN }}
	RST            = Match{"RST", func(p Packet) bool { return p.RST }}
	Data           = Match{"data", func(p Packet) bool { return p.TCP && p.Length > 0 }}
	ZeroWindow     = Match{"zero window", func(p Packet) bool { return p.TCP && p.Window == 0 && !p.RST }}
	KeepaliveProbe = Match{"keepalive probe", func(p Packet) bool { return p.Role == Probe }}
	WindowProbe    = Match{"window probe", func(p Packet) bool { return p.Role == ZeroWindowTest }}
	Original       = Match{"original", func(p Packet) bool { return p.Role == Ordinary }} // no probe, no retransmission
	Retransmission = Match{"retransmission", func(p Packet) bool { return p.Role == Retransmitted }}
)

// Where matches the packets for which matches returns true. The name stands in failure texts:
// "large packet".
func Where(name string, matches func(Packet) bool) Match { return Match{name, matches} }

// ICMP matches ICMP and ICMPv6 messages whose text (Packet.ICMP) contains one of the words:
// "EchoRequest", "Unreachable", "TooBig".
func ICMP(words ...string) Match {
	return Match{"ICMP " + strings.Join(words, " or "), func(p Packet) bool {
		return p.ICMP != "" && slices.ContainsFunc(words, func(word string) bool { return strings.Contains(p.ICMP, word) })
	}}
}

// From matches packets with that source address and port.
func From(src netip.AddrPort) Match {
	return Match{fmt.Sprintf("from %v", src), func(p Packet) bool { return p.Src == src }}
}

// After matches packets that passed later than t.
func After(t time.Time) Match {
	return Match{"after " + t.Format("15:04:05.000000"), func(p Packet) bool { return p.At.After(t) }}
}

// All matches packets that every one of the matches does; every packet if there are none.
func All(matches ...Match) Match {
	return Match{join(matches, " "), func(p Packet) bool {
		return !slices.ContainsFunc(matches, func(m Match) bool { return !m.Matches(p) })
	}}
}

// Any matches packets that at least one of the matches does; no packet if there are none.
func Any(matches ...Match) Match {
	return Match{join(matches, " or "), func(p Packet) bool {
		return slices.ContainsFunc(matches, func(m Match) bool { return m.Matches(p) })
	}}
}

func join(matches []Match, separator string) string {
	var names []string
	for _, m := range matches {
		names = append(names, m.name)
	}
	return strings.Join(names, separator)
}

// Matches reports whether it selects the packet.
func (m Match) Matches(p Packet) bool { return m.matches != nil && m.matches(p) }

// String returns the name: "RST", "data from 192.0.2.10:40000".
func (m Match) String() string { return m.name }

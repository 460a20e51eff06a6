package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Match is a kind of packets to look for. The zero value matches no packet.
type Match struct {
	name    string
	matches func(Packet) bool
}

// The kinds of packets that specs look for.
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
	Original       = Match{"original", func(p Packet) bool { return p.Role == Ordinary }} // neither a probe nor a retransmission
	Retransmission = Match{"retransmission", func(p Packet) bool { return p.Role == Retransmitted }}
)

// Where returns a Match of the packets for which a function returns true. Failure texts show
// the name: "large packet".
func Where(name string, matches func(Packet) bool) Match { return Match{name, matches} }

// ICMP matches ICMP and ICMPv6 messages whose text contains one of the words.
func ICMP(words ...string) Match {
	return Match{"ICMP " + strings.Join(words, " or "), func(p Packet) bool {
		return p.ICMP != "" && slices.ContainsFunc(words, func(word string) bool { return strings.Contains(p.ICMP, word) })
	}}
}

// From matches packets from an address and port.
func From(src netip.AddrPort) Match {
	return Match{fmt.Sprintf("from %v", src), func(p Packet) bool { return p.Src == src }}
}

// All matches a packet if every one of the matches does.
func All(matches ...Match) Match {
	return Match{join(matches, " "), func(p Packet) bool {
		return !slices.ContainsFunc(matches, func(m Match) bool { return !m.Matches(p) })
	}}
}

// Any matches a packet if at least one of the matches does.
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

// Matches reports whether a packet is of the kind.
func (m Match) Matches(p Packet) bool { return m.matches != nil && m.matches(p) }

// String returns the name of the kind: "RST", "data from 192.0.2.10:40000".
func (m Match) String() string { return m.name }

// After matches packets that were captured after a time.
func After(t time.Time) Match {
	return Match{"after " + t.Format("15:04:05.000000"), func(p Packet) bool { return p.At.After(t) }}
}

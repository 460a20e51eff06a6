package capture

import (
	"net/netip"
	"slices"
)

// Match says whether a packet is one that is looked for.
type Match func(Packet) bool

// The matches that specs use.
var (
	Everything     Match = func(Packet) bool { return true }
	Outgoing       Match = func(p Packet) bool { return p.Out }
	Incoming       Match = func(p Packet) bool { return !p.Out }
	SYN            Match = func(p Packet) bool { return p.SYN && !p.ACK }
	SYNACK         Match = func(p Packet) bool { return p.SYN && p.ACK }
	FIN            Match = func(p Packet) bool { return p.FIN }
	RST            Match = func(p Packet) bool { return p.RST }
	Data           Match = func(p Packet) bool { return p.TCP && p.Length > 0 }
	KeepaliveProbe Match = func(p Packet) bool { return p.Role == Probe }
	WindowProbe    Match = func(p Packet) bool { return p.Role == ZeroWindowTest }
	Retransmission Match = func(p Packet) bool { return p.Role == Retransmitted }
)

// From matches what an address and port have sent.
func From(src netip.AddrPort) Match { return func(p Packet) bool { return p.Src == src } }

// To matches what is sent to an address and port.
func To(dst netip.AddrPort) Match { return func(p Packet) bool { return p.Dst == dst } }

// All matches what every one of the matches does.
func All(matches ...Match) Match {
	return func(p Packet) bool {
		for _, match := range matches {
			if !match(p) {
				return false
			}
		}
		return true
	}
}

// Any matches what at least one of the matches does.
func Any(matches ...Match) Match {
	return func(p Packet) bool {
		return slices.ContainsFunc(matches, func(match Match) bool { return match(p) })
	}
}

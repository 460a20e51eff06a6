package capture

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Packet is one packet as a host sent or received it.
type Packet struct {
	At   time.Time // the kernel's time stamp: wall clock, no monotonic reading
	Link string    // the host's link that it passed, such as "to-server"
	Out  bool      // the host has sent or forwarded it; false: it has arrived

	Src, Dst netip.AddrPort // the ports are zero unless TCP or SCTP, the addresses unless IP

	TCP                     bool
	SYN, ACK, FIN, RST, PSH bool   // flags
	Seq, Ack                uint32 // sequence and acknowledgement number, as on the wire
	Window                  uint16 // receive window in bytes as on the wire, not scaled
	Length                  int    // bytes of TCP payload; several segments may be one packet (GSO)

	// Role is what a TCP packet is in its flow, given the packets before it.
	Role Role

	Chunks []Chunk // the chunks of an SCTP packet

	// ICMP is the text of an ICMP or ICMPv6 error, echo or neighbour message, such as
	// "DestinationUnreachable(Port)"; empty for all other packets.
	ICMP string

	first, peerFirst uint32 // the initial sequence numbers of both directions
	answered         bool   // the other direction has sent a packet before

	sctp  bool
	other string // the text of a packet that is neither TCP nor SCTP
	data  []byte // the first bytes of the frame
	wire  int    // the frame's length on the wire, in bytes
	index int    // of the link
	hops  int    // the TTL or the hop limit: how many more hosts may forward it
}

// order returns the place of the packet among those of the same instant: a lower one passed
// earlier. A packet leaves one end of a cable before it arrives at the other end. It arrives at a
// router, which reduces the hop count by one, before it leaves the router.
//
// Instants can be equal only in virtual time, where every cable has a delay. Packets of the
// same instant are then one packet at several hosts, or neither causes the other.
func (p Packet) order() int {
	order := -2*p.hops - 1
	if p.Out {
		order--
	}
	return order
}

// Role is what a TCP packet is in its flow: an original, a retransmission, a probe.
type Role int

// The roles. The zero value is an ordinary packet.
const (
	Ordinary       Role = iota
	Retransmitted       // repeats sequence numbers sent before
	Probe               // a keepalive probe: no data, sequence number one below the next
	ZeroWindowTest      // a zero-window probe: as Probe, while the peer's window is zero
)

// String returns the role's name; "" for an ordinary packet.
func (r Role) String() string {
	names := [...]string{"", "retransmission", "keepalive probe", "window probe"}
	if r >= 0 && int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("role %d", int(r))
}

// String returns the packet as tcpdump prints it, with relative sequence numbers:
// "out to-server: 192.0.2.10:40000 > 192.0.2.20:5000 SYN seq 0 win 64240 length 0".
func (p Packet) String() string {
	arrow := "in  "
	if p.Out {
		arrow = "out "
	}
	return arrow + p.Link + ": " + p.text()
}

func (p Packet) text() string {
	if p.TCP || p.sctp {
		return fmt.Sprintf("%v > %v %s", p.Src, p.Dst, p.Content())
	}
	return p.other
}

// Content returns the packet as text without its addresses: "SYN seq 0 win 64240 length 0".
func (p Packet) Content() string {
	switch {
	case p.TCP:
		return p.segmentText()
	case p.sctp:
		return p.chunkText()
	}
	return p.other
}

// Brief returns what the packet is in a few words: "SYN", "keepalive probe", "PSH,ACK 4 bytes",
// "HEARTBEAT", "DestinationUnreachable(Port)".
func (p Packet) Brief() string {
	if p.TCP && p.Window == 0 && !p.RST {
		return p.brief() + ", window 0"
	}
	return p.brief()
}

func (p Packet) brief() string {
	switch {
	case p.TCP && p.Role != Ordinary && !p.SYN && !p.FIN && !p.RST:
		return p.Role.String()
	case p.TCP && p.Length > 0:
		return fmt.Sprintf("%s %d bytes", p.flags(), p.Length)
	case p.TCP:
		return p.flags()
	case p.sctp:
		var names []string
		for _, c := range p.Chunks {
			names = append(names, c.Type.String())
		}
		return strings.Join(names, ", ")
	case p.ICMP != "":
		return p.ICMP
	}
	return p.other
}

func (p Packet) segmentText() string {
	text := fmt.Sprintf("%s seq %d", p.flags(), p.Seq-p.first)
	if p.Length > 0 {
		text += fmt.Sprintf(":%d", p.Seq-p.first+uint32(p.Length))
	}
	if p.ACK && p.answered {
		text += fmt.Sprintf(" ack %d", p.Ack-p.peerFirst)
	}
	text += fmt.Sprintf(" win %d length %d", p.Window, p.Length)
	if p.Role != Ordinary {
		text += " (" + p.Role.String() + ")"
	}
	return text
}

func (p Packet) flags() string {
	var names []string
	for _, flag := range []struct {
		set  bool
		name string
	}{{p.SYN, "SYN"}, {p.FIN, "FIN"}, {p.RST, "RST"}, {p.PSH, "PSH"}, {p.ACK, "ACK"}} {
		if flag.set {
			names = append(names, flag.name)
		}
	}
	return strings.Join(names, ",")
}

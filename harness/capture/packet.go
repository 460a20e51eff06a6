package capture

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Packet is a packet as a host sent or received it.
type Packet struct {
	At   time.Time // the kernel's time stamp, on the wall clock
	Link string    // the name of the host's link
	Out  bool      // the host sent or forwarded it; otherwise it arrived at the host

	Src, Dst netip.AddrPort // without ports unless TCP or SCTP, without addresses unless IP

	TCP                     bool
	SYN, ACK, FIN, RST, PSH bool
	Seq, Ack                uint32
	Window                  uint16 // as on the wire, not scaled
	Length                  int    // bytes of TCP payload; a packet may be several segments (GSO)

	Role Role // of a TCP packet in its flow, judged from the packets before it

	Chunks []Chunk // of an SCTP packet

	// ICMP is the text of an ICMP or ICMPv6 error, echo or neighbour message. It is empty for
	// other packets, also for multicast listener reports.
	ICMP string

	first, peerFirst uint32 // the initial sequence numbers of both directions
	answers          bool   // the other direction has been seen

	sctp  bool
	what  string // its text after the link, if it is neither TCP nor SCTP
	data  []byte // the beginning of the frame
	wire  int    // the frame's length on the wire
	index int    // of the link
	hops  int    // the TTL, or the hop limit
}

// order is the packet's place among packets with the same time stamp: a lower one passed
// earlier. A packet leaves one end of a cable before it arrives at the other end. It arrives
// at a router before it leaves, and the router reduces its hops by one.
//
// That is enough. Time stamps are equal in virtual time alone, where cables have a delay:
// the packets are then one packet at several hosts, or are unrelated.
func (p Packet) order() int {
	order := -2*p.hops - 1
	if p.Out {
		order--
	}
	return order
}

// Role is the role of a TCP packet in its flow.
type Role int

// The roles. The zero value is an ordinary packet.
const (
	Ordinary       Role = iota
	Retransmitted       // it repeats sequence numbers that were sent before
	Probe               // a keepalive probe: no data, and one below the next sequence number
	ZeroWindowTest      // a window probe: the same while the peer's window is zero
)

// String returns the role's name; empty for an ordinary packet.
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
	return arrow + p.Link + ": " + p.words()
}

func (p Packet) words() string {
	switch {
	case p.TCP:
		return p.segmentWords()
	case p.sctp:
		return p.chunkWords()
	}
	return p.what
}

func (p Packet) segmentWords() string {
	text := fmt.Sprintf("%v > %v %s seq %d", p.Src, p.Dst, p.flags(), p.Seq-p.first)
	if p.Length > 0 {
		text += fmt.Sprintf(":%d", p.Seq-p.first+uint32(p.Length))
	}
	if p.ACK && p.answers {
		text += fmt.Sprintf(" ack %d", p.Ack-p.peerFirst)
	}
	text += fmt.Sprintf(" win %d length %d", p.Window, p.Length)
	if p.Role != Ordinary {
		text += " (" + p.Role.String() + ")"
	}
	return text
}

// decode decodes a frame. Of a packet that it does not understand, it keeps the names of the
// protocols.
func decode(frame []byte, wire int) Packet {
	p := Packet{data: frame, wire: wire}
	parsed := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	var src, dst netip.Addr
	payload := 0 // bytes after the IP header, on the wire
	switch ip := parsed.NetworkLayer().(type) {
	case *layers.IPv4:
		src, _ = netip.AddrFromSlice(ip.SrcIP)
		dst, _ = netip.AddrFromSlice(ip.DstIP)
		payload = int(ip.Length) - int(ip.IHL)*4
		p.hops = int(ip.TTL)
	case *layers.IPv6:
		src, _ = netip.AddrFromSlice(ip.SrcIP)
		dst, _ = netip.AddrFromSlice(ip.DstIP)
		payload = int(ip.Length)
		p.hops = int(ip.HopLimit)
	}
	p.Src, p.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
	if tcp, ok := parsed.Layer(layers.LayerTypeTCP).(*layers.TCP); ok {
		p.TCP = true
		p.Src, p.Dst = netip.AddrPortFrom(src, uint16(tcp.SrcPort)), netip.AddrPortFrom(dst, uint16(tcp.DstPort))
		p.SYN, p.ACK, p.FIN, p.RST, p.PSH = tcp.SYN, tcp.ACK, tcp.FIN, tcp.RST, tcp.PSH
		p.Seq, p.Ack, p.Window = tcp.Seq, tcp.Ack, tcp.Window
		p.Length = max(0, payload-int(tcp.DataOffset)*4) // the header may be wrong
		return p
	}
	if source, destination, chunks, ok := chunksOf(parsed); ok {
		p.Src, p.Dst = netip.AddrPortFrom(src, source), netip.AddrPortFrom(dst, destination)
		p.sctp, p.Chunks = true, chunks
		return p
	}
	p.ICMP = icmp(parsed)
	p.what = describe(parsed, p)
	return p
}

func icmp(parsed gopacket.Packet) string {
	if m, ok := parsed.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok {
		return m.TypeCode.String()
	}
	if m, ok := parsed.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok {
		if kind := m.TypeCode.Type(); kind <= layers.ICMPv6TypeEchoReply || kind == layers.ICMPv6TypeNeighborSolicitation || kind == layers.ICMPv6TypeNeighborAdvertisement {
			return m.TypeCode.String()
		}
	}
	return ""
}

func describe(parsed gopacket.Packet, p Packet) string {
	if p.ICMP != "" {
		return fmt.Sprintf("%v > %v %s", p.Src.Addr(), p.Dst.Addr(), p.ICMP)
	}
	if arp, ok := parsed.Layer(layers.LayerTypeARP).(*layers.ARP); ok {
		sender, _ := netip.AddrFromSlice(arp.SourceProtAddress)
		target, _ := netip.AddrFromSlice(arp.DstProtAddress)
		if arp.Operation == layers.ARPRequest {
			return fmt.Sprintf("%v asks by ARP who has %v", sender, target)
		}
		return fmt.Sprintf("%v answers %v by ARP", sender, target)
	}
	var names []string
	for _, layer := range parsed.Layers() {
		names = append(names, layer.LayerType().String())
	}
	if p.Src.Addr().IsValid() {
		return fmt.Sprintf("%v > %v %s", p.Src.Addr(), p.Dst.Addr(), strings.Join(names, "/"))
	}
	return strings.Join(names, "/")
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

package capture

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Payload returns the TCP payload of a packet: its first bytes, as far as a capture keeps
// them, which are at least 100.
func (p Packet) Payload() []byte {
	parsed := gopacket.NewPacket(p.data, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	tcp, ok := parsed.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok {
		return nil
	}
	return tcp.LayerPayload()[:min(p.Length, len(tcp.LayerPayload()))] // a short frame is padded
}

// decode decodes a frame of which wire bytes passed. A packet of another protocol keeps the
// names of its layers as its text.
func decode(frame []byte, wire int) Packet {
	p := Packet{data: frame, wire: wire}
	parsed := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	var src, dst netip.Addr
	payload := 0 // length of what follows the IP header, in bytes on the wire
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
	p.other = describe(parsed, p)
	return p
}

// icmp returns the text of an ICMP or ICMPv6 message (Packet.ICMP).
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

// describe returns the text of a packet that is neither TCP nor SCTP.
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

package firewall

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
)

// Forged is a packet that a router invents: a Reset or an ICMPError.
type Forged interface {
	Send(ns *netns.Namespace) error // sends it from the router's namespace
}

// Forge sends a forged packet from the firewall.
func (f *Firewall) Forge(p Forged) error { return p.Send(f.ns) }

// Reset is an RST that a middlebox sends as if it came from one end of a flow.
type Reset struct {
	From, To netip.AddrPort
	// Seq is its sequence number. The receiver obeys the number that it expects next. It
	// answers another number in its window with a challenge ACK, and ignores all others
	// (RFC 5961 §3.2).
	Seq uint32
}

// Send implements Forged.
func (r Reset) Send(ns *netns.Namespace) error {
	ip := header(r.From.Addr(), r.To.Addr(), layers.IPProtocolTCP)
	return send(ns, r.To.Addr(), ip, segment(ip, r.From, r.To, r.Seq, true))
}

// ICMPError is an ICMP error about a TCP segment. Its receiver looks for a connection with
// the segment's addresses and ports, on which data with the segment's number is in flight
// (net/ipv4/tcp_ipv4.c, tcp_v4_err).
type ICMPError struct {
	Router     netip.Addr     // the sender of the error
	Type, Code uint8          // the numbers of RFC 792 or RFC 4443
	From, To   netip.AddrPort // of the segment
	Seq        uint32         // of the segment
}

// Send implements Forged.
func (e ICMPError) Send(ns *netns.Namespace) error {
	quoted := header(e.From.Addr(), e.To.Addr(), layers.IPProtocolTCP)
	quote := segment(quoted, e.From, e.To, e.Seq, false)
	to := e.From.Addr()
	if to.Is4() {
		icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(e.Type, e.Code)}
		return send(ns, to, header(e.Router, to, layers.IPProtocolICMPv4), icmp, quoted, quote)
	}
	ip := header(e.Router, to, layers.IPProtocolICMPv6)
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(e.Type, e.Code)}
	_ = icmp.SetNetworkLayerForChecksum(ip)
	unused := gopacket.Payload(make([]byte, 4)) // for some types, where the fault is: 0
	return send(ns, to, ip, icmp, unused, quoted, quote)
}

// ipLayer is a layers.IPv4 or layers.IPv6.
type ipLayer interface {
	gopacket.NetworkLayer
	gopacket.SerializableLayer
}

func header(from, to netip.Addr, protocol layers.IPProtocol) ipLayer {
	if to.Is4() {
		return &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice())}
	}
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice())}
}

func segment(ip ipLayer, from, to netip.AddrPort, seq uint32, rst bool) *layers.TCP {
	tcp := &layers.TCP{SrcPort: layers.TCPPort(from.Port()), DstPort: layers.TCPPort(to.Port()), Seq: seq, RST: rst}
	_ = tcp.SetNetworkLayerForChecksum(ip) // fails only if ip is not IP
	return tcp
}

// send sends a packet with its IP header, whatever source address that has (raw(7),
// IPPROTO_RAW).
func send(ns *netns.Namespace, to netip.Addr, packet ...gopacket.SerializableLayer) error {
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, packet...); err != nil {
		return err
	}
	family, address := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Addr: to.As16()})
	if to.Is4() {
		family, address = unix.AF_INET, &unix.SockaddrInet4{Addr: to.As4()}
	}
	err := ns.Do(func() error {
		fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		return unix.Sendto(fd, buffer.Bytes(), 0, address)
	})
	if err != nil {
		return fmt.Errorf("sending a forged packet to %v from %s: %w", to, ns.Name(), err)
	}
	return nil
}

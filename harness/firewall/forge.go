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

// Reset is an RST that a middlebox sends in the name of one end of a flow.
type Reset struct {
	From, To netip.AddrPort
	// Seq is its sequence number. The receiver obeys only the exact number it
	// expects next; one elsewhere in the window draws a challenge ACK, one
	// outside is ignored (RFC 5961 §3.2).
	Seq uint32
}

// String is the packet in tcpdump's manner.
func (r Reset) String() string { return fmt.Sprintf("%v > %v RST seq %d", r.From, r.To, r.Seq) }

// Send sends the forged packet from the namespace of a router.
func (r Reset) Send(ns *netns.Namespace) error {
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(r.From.Port()), DstPort: layers.TCPPort(r.To.Port()),
		Seq: r.Seq, RST: true,
	}
	if err := sendForged(ns, r.From.Addr(), r.To.Addr(), layers.IPProtocolTCP, tcp, nil); err != nil {
		return fmt.Errorf("forging %v on %s: %w", r, ns.Name(), err)
	}
	return nil
}

// Forge sends a forged RST from the firewall.
func (f *Firewall) Forge(r Reset) error { return r.Send(f.ns) }

type transport interface {
	gopacket.SerializableLayer
	SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
}

// sendForged sends a packet with somebody else's source address (raw(7),
// IPPROTO_RAW: the header is ours).
func sendForged(ns *netns.Namespace, from, to netip.Addr, protocol layers.IPProtocol, body transport, payload []byte) error {
	header, family, sockaddr := ipHeader(from, to, protocol)
	if err := body.SetNetworkLayerForChecksum(header.(gopacket.NetworkLayer)); err != nil {
		return err
	}
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, header, body, gopacket.Payload(payload)); err != nil {
		return err
	}
	return ns.Do(func() error {
		fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		return unix.Sendto(fd, buffer.Bytes(), 0, sockaddr)
	})
}

func ipHeader(from, to netip.Addr, protocol layers.IPProtocol) (gopacket.SerializableLayer, int, unix.Sockaddr) {
	if to.Is4() {
		return &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice())},
			unix.AF_INET, &unix.SockaddrInet4{Addr: to.As4()}
	}
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice())},
		unix.AF_INET6, &unix.SockaddrInet6{Addr: to.As16()}
}

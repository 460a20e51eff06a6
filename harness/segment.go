package harness

import (
	"net"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// segment is the network of one cable. Its addresses are reserved for documentation (RFC 5737,
// RFC 3849), so a packet that left the lab would reach no host. Private addresses and those for
// benchmarks do not serve: SCTP does not announce them to its peer (net/sctp/protocol.c,
// sctp_v4_scope).
type segment struct{ ipv4, ipv6 netip.Prefix }

// segments are the networks of a lab's cables, in the order in which cables take them.
var segments = []segment{
	{netip.MustParsePrefix("192.0.2.0/26"), netip.MustParsePrefix("2001:db8:1::/64")},
	{netip.MustParsePrefix("198.51.100.0/26"), netip.MustParsePrefix("2001:db8:2::/64")},
	{netip.MustParsePrefix("203.0.113.0/26"), netip.MustParsePrefix("2001:db8:3::/64")},
	{netip.MustParsePrefix("203.0.113.128/26"), netip.MustParsePrefix("2001:db8:4::/64")},
	{netip.MustParsePrefix("192.0.2.64/26"), netip.MustParsePrefix("2001:db8:5::/64")},
	{netip.MustParsePrefix("192.0.2.128/26"), netip.MustParsePrefix("2001:db8:6::/64")},
	{netip.MustParsePrefix("192.0.2.192/26"), netip.MustParsePrefix("2001:db8:7::/64")},
	{netip.MustParsePrefix("198.51.100.64/26"), netip.MustParsePrefix("2001:db8:8::/64")},
	{netip.MustParsePrefix("198.51.100.128/26"), netip.MustParsePrefix("2001:db8:9::/64")},
	{netip.MustParsePrefix("198.51.100.192/26"), netip.MustParsePrefix("2001:db8:a::/64")},
}

// The host parts of the two addresses on a segment.
const (
	nearEnd = 10 // the end towards the client
	farEnd  = 20 // the end towards the server
)

func (s segment) prefixes() []netip.Prefix { return []netip.Prefix{s.ipv4, s.ipv6} }

func (s segment) prefix(family sock.Family) netip.Prefix {
	if family == sock.IPv6 {
		return s.ipv6
	}
	return s.ipv4
}

// mac returns the hardware address of one end of a cable, from the block for documentation
// (RFC 7042 §2.1.1).
func mac(segment int, end byte) net.HardwareAddr {
	return net.HardwareAddr{0x00, 0x00, 0x5e, 0x00, 0x53, byte(segment+1)<<4 | end/10}
}

// hostAddress returns the address in the prefix with a host part, which shows as the same digits in
// both families: 192.0.2.10 and 2001:db8:1::10.
func hostAddress(prefix netip.Prefix, host byte) netip.Prefix {
	b := prefix.Addr().AsSlice()
	if prefix.Addr().Is6() {
		host = host/10<<4 + host%10
	}
	b[len(b)-1] += host
	a, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(a, prefix.Bits())
}

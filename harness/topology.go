package harness

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Topology is what lies between the client and the server.
type Topology int

// The topologies. Every host has an IPv4 and an IPv6 address.
const (
	Direct                Topology = iota // client — server
	Routed                                // client — router — router — server
	Firewalled                            // client — firewall — server
	NATed                                 // client — firewall that hides the client's address — server
	Proxied                               // client — toxiproxy — server
	ProxiedBehindFirewall                 // client — firewall — toxiproxy — server
	Multihomed                            // client — firewall — server, and client — firewall-2 — server beside it
)

// paths are the hosts of each topology from the client to the server, on one path or on
// several that share nothing but the two.
var paths = map[Topology][][]string{
	Direct:                {{"client", "server"}},
	Routed:                {{"client", "router-west", "router-east", "server"}},
	Firewalled:            {{"client", "firewall", "server"}},
	NATed:                 {{"client", "firewall", "server"}},
	Proxied:               {{"client", "proxy", "server"}},
	ProxiedBehindFirewall: {{"client", "firewall", "proxy", "server"}},
	Multihomed:            {{"client", "firewall", "server"}, {"client", "firewall-2", "server"}},
}

// hosts are the names of the topology's hosts: the client, all between, the server.
func (t Topology) hosts() []string {
	names := []string{"client"}
	for _, path := range paths[t] {
		names = append(names, path[1:len(path)-1]...)
	}
	return append(names, "server")
}

// String is the topology as a picture.
func (t Topology) String() string {
	all, ok := paths[t]
	if !ok {
		return fmt.Sprintf("topology %d", int(t))
	}
	var pictures []string
	for _, path := range all {
		picture := strings.Join(path, " — ")
		if t == NATed {
			picture = strings.Replace(picture, "firewall", "NAT", 1)
		}
		pictures = append(pictures, picture)
	}
	return strings.Join(pictures, ", ")
}

// segment is the network on one cable. The addresses are those reserved for
// documentation (RFC 5737, RFC 3849): a packet that leaked would reach no one. IPv4 has
// three such networks, of which the last is divided. Others are of no use: SCTP keeps
// addresses for benchmarks and private ones from its peers (sctp_v4_scope).
type segment struct{ ipv4, ipv6 netip.Prefix }

var segments = []segment{
	{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:1::/64")},
	{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:2::/64")},
	{netip.MustParsePrefix("203.0.113.0/25"), netip.MustParsePrefix("2001:db8:3::/64")},
	{netip.MustParsePrefix("203.0.113.128/25"), netip.MustParsePrefix("2001:db8:4::/64")},
}

// The host parts of the two addresses on a segment, seen from the client.
const (
	nearEnd = 10 // the end towards the client
	farEnd  = 20 // the end towards the server
)

func (s segment) prefixes() []netip.Prefix { return []netip.Prefix{s.ipv4, s.ipv6} }

func (s segment) of(family sock.Family) netip.Prefix {
	if family == sock.IPv6 {
		return s.ipv6
	}
	return s.ipv4
}

// mac is the hardware address of one end of a cable, from the block that RFC 7042
// keeps for documentation.
func mac(segment int, end byte) net.HardwareAddr {
	return net.HardwareAddr{0x00, 0x00, 0x5e, 0x00, 0x53, byte(segment+1)<<4 | end/10}
}

// number is an address of the prefix with the given host part, which IPv6 has in
// the same digits: 192.0.2.10 and 2001:db8:1::10.
func number(prefix netip.Prefix, host byte) netip.Prefix {
	b := prefix.Addr().AsSlice()
	if prefix.Addr().Is6() {
		host = host/10<<4 + host%10
	}
	b[len(b)-1] += host
	a, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(a, prefix.Bits())
}

package errno

import (
	"net/netip"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// unreachable holds the errnos of a client that cannot reach its server.
var unreachable = []recipe{
	{
		errno: unix.ENETUNREACH, call: "connect(2)",
		when:   "the client has no route to the server",
		source: "connect(2); net/ipv4/route.c, ip_route_output_key_hash_rcu; net/ipv6/route.c, ip6_null_entry",
		produce: func(lab *harness.Lab) error {
			elsewhere := map[sock.Family]string{sock.IPv4: "203.0.113.1", sock.IPv6: "2001:db8:ffff::1"}[lab.Family()]
			return connect(lab, netip.AddrPortFrom(netip.MustParseAddr(elsewhere), 5000))
		},
	},
	{
		errno: unix.ENETUNREACH, call: "connect(2)",
		when:   "the client's own link is down, and so its routes are gone",
		source: "net/ipv4/fib_frontend.c, fib_netdev_event; net/ipv6/route.c, rt6_disable_ip",
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			lab.Apply(linkDown(lab))
			return connect(lab, lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.ENETUNREACH, call: "connect(2)",
		when:    "a router answers with ICMP network unreachable (IPv6: no route)",
		source:  "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach",
		produce: connectingInto(scenarios.NetUnreachable), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.ENETUNREACH, call: "recv(2)",
		when:    "sent data is not acknowledged until the kernel gives up, and a router had answered with ICMP network unreachable",
		source:  "net/ipv4/tcp_timer.c, tcp_write_err; RFC 9293 §3.9.2.2",
		produce: softly(scenarios.NetUnreachable), through: harness.Firewalled, waits: 2 * time.Second,
	},
	{
		errno: unix.ENETUNREACH, call: "recv(2)",
		when:   "the client's own link goes down, and sent data is not acknowledged until the kernel gives up",
		source: "net/ipv6/inet6_connection_sock.c, inet6_csk_xmit; net/ipv4/tcp_timer.c, tcp_write_err",
		over:   sock.IPv6, waits: time.Second,
		produce: linkLost,
	},
	{
		errno: unix.ETIMEDOUT, call: "recv(2)",
		when:   "the client's own link goes down, and sent data is not acknowledged until the kernel gives up, which does not remember the missing route",
		source: "net/ipv4/ip_output.c, __ip_queue_xmit; net/ipv4/tcp_timer.c, tcp_write_err",
		over:   sock.IPv4, waits: time.Second,
		produce: linkLost,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:    "the server is on the client's own network and does not answer ARP or neighbour solicitations (after 3 s)",
		source:  "arp(7), mcast_solicit; net/ipv4/route.c, ipv4_link_failure; net/ipv6/route.c, ip6_link_failure",
		produce: func(lab *harness.Lab) error { return connect(lab, nobody(lab)) }, waits: 3 * time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "the server does not answer its router's ARP or neighbour solicitations, and the router reports that (after 3 s)",
		source: "RFC 1812 §4.3.3.1; net/ipv4/icmp.c, icmp_err_convert",
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			lab.Apply(scenarios.NeighbourLost{})
			return connect(lab, lab.Server.AddressPort(5000))
		},
		through: harness.Firewalled, waits: 3 * time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:    "a router answers with ICMP host unreachable (IPv6: address unreachable)",
		source:  "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach",
		produce: connectingInto(scenarios.HostUnreachable), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:    "the packets are in a routing loop: ICMP time exceeded (IPv6: hop limit exceeded)",
		source:  "net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv6/icmp.c, icmpv6_err_convert",
		produce: connectingInto(scenarios.TimeExceeded), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "the client's route to the server is of type unreachable",
		source: "ip-route(8); net/ipv4/fib_semantics.c, fib_props; net/ipv6/route.c, fib6_rt_type_to_error",
		produce: func(lab *harness.Lab) error {
			lab.Apply(routeOf(lab, unix.RTN_UNREACHABLE, "unreachable"))
			return connect(lab, lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EHOSTUNREACH, call: "recv(2)",
		when:    "sent data is not acknowledged until the kernel gives up, and a router had answered with ICMP host unreachable",
		source:  "net/ipv4/tcp_timer.c, tcp_write_err; RFC 9293 §3.9.2.2",
		produce: softly(scenarios.HostUnreachable), through: harness.Firewalled, waits: 2 * time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "recv(2)",
		when:    "sent data is not acknowledged until the kernel gives up, and its packets had been in a routing loop",
		source:  "net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv4/tcp_timer.c, tcp_write_err",
		produce: softly(scenarios.TimeExceeded), through: harness.Firewalled, waits: 2 * time.Second,
	},
	{
		errno: unix.EHOSTDOWN, call: "connect(2)",
		when:    "a router answers with ICMP destination host unknown (code 7), which is rare",
		source:  "net/ipv4/icmp.c, icmp_err_convert; RFC 1812 §5.2.7.1",
		produce: answeredWith(map[sock.Family][2]uint8{sock.IPv4: {3, 7}}), over: sock.IPv4, through: harness.Firewalled,
	},
	{
		errno: unix.ENONET, call: "connect(2)",
		when:    "a router answers with ICMP source host isolated (code 8), which is obsolete",
		source:  "net/ipv4/icmp.c, icmp_err_convert; RFC 1812 §5.2.7.1",
		produce: answeredWith(map[sock.Family][2]uint8{sock.IPv4: {3, 8}}), over: sock.IPv4, through: harness.Firewalled,
	},
	{
		errno: unix.EPROTO, call: "connect(2)",
		when:    "a router does not understand the header and answers with ICMP parameter problem",
		source:  "net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv6/icmp.c, icmpv6_err_convert",
		produce: answeredWith(map[sock.Family][2]uint8{sock.IPv4: {12, 0}, sock.IPv6: {4, 0}}), through: harness.Firewalled,
	},
}

// answeredWith returns how a connection attempt ends if a router answers the SYN with an ICMP
// error of a type and code, which depend on the address family.
func answeredWith(numbers map[sock.Family][2]uint8) func(*harness.Lab) error {
	return func(lab *harness.Lab) error {
		lab.Apply(scenarios.SilentDrop{})
		client := lab.Client.NewSocket("client")
		Expect(client.Connect(lab.Entrance(5000))).To(Equal(unix.EINPROGRESS))
		Expect(lab.Client).To(HaveSent(1, capture.SYN, Within(time.Second)))
		lab.Apply(answered(lab, lab.Client.Sent(capture.SYN)[0], numbers[lab.Family()][0], numbers[lab.Family()][1]))
		return connected(client)
	}
}

// nobody returns an address of the client's own network that no host has.
func nobody(lab *harness.Lab) netip.AddrPort {
	return netip.AddrPortFrom(lab.Server.Address().Next(), 5000)
}

// softly returns how a connection ends if a router answers its data with an ICMP error.
func softly(answer scenarios.ICMP) func(*harness.Lab) error {
	return func(lab *harness.Lab) error {
		lab.Client.Sysctl("ipv4/tcp_retries2", 1)
		client, _ := lab.Connect(5000)
		lab.Apply(scenarios.ICMPError{Answer: answer})
		Expect(client.Write("anyone?")).To(Succeed())
		return received(client)
	}
}

// linkLost returns how a connection ends if the client's own link goes down and the client
// sends data.
func linkLost(lab *harness.Lab) error {
	lab.Client.Sysctl("ipv4/tcp_retries2", 1)
	client, _ := lab.Connect(5000)
	lab.Apply(linkDown(lab))
	Expect(client.Write("anyone?")).To(Succeed())
	return received(client)
}

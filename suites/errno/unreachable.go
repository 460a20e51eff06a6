package errno

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// unreachable is a client that cannot get to its server.
var unreachable = []recipe{
	{
		errno: unix.ENETUNREACH, call: "connect(2)",
		when:   "the client has no route to the server",
		source: "connect(2); net/ipv4/route.c, ip_route_output_key_hash_rcu; net/ipv6/route.c, ip6_null_entry",
		cook: func(lab *harness.Lab) error {
			elsewhere := map[sock.Family]string{sock.IPv4: "203.0.113.1", sock.IPv6: "2001:db8:ffff::1"}[lab.Family]
			return lab.Client.NewSocket("client").Connect(netip.AddrPortFrom(netip.MustParseAddr(elsewhere), 5000))
		},
	},
	{
		errno: unix.ENETUNREACH, call: "connect(2)",
		when:   "the client's own link is down: its routes went with it",
		source: "net/ipv4/fib_frontend.c, fib_netdev_event; net/ipv6/route.c, rt6_disable_ip",
		cook: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			lab.Apply(linkDown(lab))
			return lab.Client.NewSocket("client").Connect(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.ENETUNREACH, call: "connect(2)",
		when:   "a router answers with ICMP network unreachable (IPv6: no route)",
		source: "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach",
		cook:   connectingInto(scenarios.NetUnreachable), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.ENETUNREACH, call: "recv(2)",
		when:   "sent data stays unanswered until the kernel gives up, and a router had answered with ICMP network unreachable",
		source: "net/ipv4/tcp_timer.c, tcp_write_err; RFC 9293 §3.9.2.2",
		cook:   softly(scenarios.NetUnreachable), through: harness.Firewalled, waits: 2 * time.Second,
	},
	{
		errno: unix.ENETUNREACH, call: "recv(2)",
		when:   "the client's own link goes down, and what it sends stays unanswered until the kernel gives up",
		source: "net/ipv6/inet6_connection_sock.c, inet6_csk_xmit; net/ipv4/tcp_timer.c, tcp_write_err",
		over:   sock.IPv6, waits: time.Second,
		cook: linkLost,
	},
	{
		errno: unix.ETIMEDOUT, call: "recv(2)",
		when:   "the client's own link goes down, and what it sends stays unanswered until the kernel gives up: the missing route is not remembered",
		source: "net/ipv4/ip_output.c, __ip_queue_xmit; net/ipv4/tcp_timer.c, tcp_write_err",
		over:   sock.IPv4, waits: time.Second,
		cook: linkLost,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "the server is on the client's own network and does not answer ARP or neighbour solicitations (after 3 s)",
		source: "arp(7), mcast_solicit; net/ipv4/route.c, ipv4_link_failure; net/ipv6/route.c, ip6_link_failure",
		cook:   connectingToNobody, waits: 3 * time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "the server does not answer its router's ARP or neighbour solicitations, and the router says so (after 3 s)",
		source: "RFC 1812 §4.3.3.1; net/ipv4/icmp.c, icmp_err_convert",
		cook: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			lab.Apply(scenarios.NeighbourLost{})
			return connectingNow(lab)
		},
		through: harness.Firewalled, waits: 3 * time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "a router answers with ICMP host unreachable (IPv6: address unreachable)",
		source: "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach",
		cook:   connectingInto(scenarios.HostUnreachable), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "the packets go round in a routing loop: ICMP time exceeded (IPv6: hop limit exceeded)",
		source: "net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv6/icmp.c, icmpv6_err_convert",
		cook:   connectingInto(scenarios.TimeExceeded), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.EHOSTUNREACH, call: "connect(2)",
		when:   "the client's route to the server is of type unreachable",
		source: "ip-route(8); net/ipv4/fib_semantics.c, fib_props; net/ipv6/route.c, fib6_rt_type_to_error",
		cook: func(lab *harness.Lab) error {
			lab.Apply(routeOf(lab, unix.RTN_UNREACHABLE, "unreachable"))
			return lab.Client.NewSocket("client").Connect(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EHOSTUNREACH, call: "recv(2)",
		when:   "sent data stays unanswered until the kernel gives up, and a router had answered with ICMP host unreachable",
		source: "net/ipv4/tcp_timer.c, tcp_write_err; RFC 9293 §3.9.2.2",
		cook:   softly(scenarios.HostUnreachable), through: harness.Firewalled, waits: 2 * time.Second,
	},
	{
		errno: unix.EHOSTDOWN, call: "connect(2)",
		when:   "a router answers with ICMP destination host unknown (code 7), which few ever sent",
		source: "net/ipv4/icmp.c, icmp_err_convert; RFC 1812 §5.2.7.1",
		over:   sock.IPv4, through: harness.Firewalled,
		cook: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			lab.Apply(scenarios.SilentDrop{})
			client := lab.Client.NewSocket("client")
			Expect(client.Connect(lab.Entrance(5000))).To(Equal(unix.EINPROGRESS))
			Expect(lab.Client).To(HaveSent(1, capture.SYN, Within(time.Second)))
			lab.Apply(hostUnknown(lab, lab.Client.Sent(capture.SYN)[0]))
			return connected(client)
		},
	},
}

// connectingToNobody is how a connection attempt ends to an address of the client's
// own network that no host has.
func connectingToNobody(lab *harness.Lab) error {
	nobody := lab.Server.Address().Next()
	client := lab.Client.NewSocket("client")
	Expect(client.Connect(netip.AddrPortFrom(nobody, 5000))).To(Equal(unix.EINPROGRESS))
	return connected(client)
}

// softly is how a connection ends whose data a router answers with an ICMP error.
func softly(answer scenarios.ICMP) func(*harness.Lab) error {
	return func(lab *harness.Lab) error {
		lab.Client.Sysctl("ipv4/tcp_retries2", 1)
		client, _ := lab.Connect(5000)
		lab.Apply(scenarios.ICMPError{Answer: answer})
		Expect(client.Write("anyone?")).To(Succeed())
		return received(client)
	}
}

// linkLost is how a connection ends that has something to send when the client's
// own link goes down.
func linkLost(lab *harness.Lab) error {
	lab.Client.Sysctl("ipv4/tcp_retries2", 1)
	client, _ := lab.Connect(5000)
	lab.Apply(linkDown(lab))
	Expect(client.Write("anyone?")).To(Succeed())
	return received(client)
}

// hostUnknown has the router behind the client answer a packet with ICMP destination
// unreachable, code 7. iptables' REJECT cannot.
func hostUnknown(lab *harness.Lab, packet capture.Packet) situation {
	return situation{
		what:   "the router answers with ICMP destination host unknown",
		byHand: "hping3 --icmp --icmptype 3 --icmpcode 7 CLIENT",
		arise: func() error {
			client, server := packet.Src.Addr(), packet.Dst.Addr()
			ip := &layers.IPv4{
				Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP,
				SrcIP: net.IP(client.AsSlice()), DstIP: net.IP(server.AsSlice()),
			}
			// The first eight bytes of the TCP header are all that an error quotes
			// (RFC 792): the ports and the sequence number.
			quote := binary.BigEndian.AppendUint16(nil, packet.Src.Port())
			quote = binary.BigEndian.AppendUint16(quote, packet.Dst.Port())
			quote = binary.BigEndian.AppendUint32(quote, packet.Seq)
			buffer := gopacket.NewSerializeBuffer()
			err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
				&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodeHostUnknown)},
				ip, gopacket.Payload(quote))
			if err != nil {
				return err
			}
			return lab.Hosts[1].Do(func() error {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
				if err != nil {
					return err
				}
				defer func() { _ = unix.Close(fd) }()
				return unix.Sendto(fd, buffer.Bytes(), 0, &unix.SockaddrInet4{Addr: client.As4()})
			})
		},
	}
}

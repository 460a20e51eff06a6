package errno

import (
	"net"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// datagrams holds the errnos of sockets other than TCP: UDP, packet and netlink sockets.
var datagrams = []recipe{
	{
		errno: unix.EOPNOTSUPP, call: "listen(2)",
		when:   "the socket is UDP, which has no connections",
		source: "listen(2); net/core/sock.c, sock_no_listen",
		produce: func(lab *harness.Lab) error {
			return unix.Listen(datagram(lab), 1)
		},
	},
	{
		errno: unix.EOPNOTSUPP, call: "accept(2)",
		when:    "the socket is UDP",
		source:  "accept(2); net/core/sock.c, sock_no_accept",
		produce: func(lab *harness.Lab) error { return accept(datagram(lab)) },
	},
	{
		errno: unix.EDESTADDRREQ, call: "send(2)",
		when:   "the socket is UDP and not connected, and the call has no address",
		source: "send(2); net/ipv4/udp.c, udp_sendmsg; net/ipv6/udp.c, udpv6_sendmsg",
		produce: func(lab *harness.Lab) error {
			return send(datagram(lab), 1)
		},
	},
	{
		errno: unix.EMSGSIZE, call: "send(2)",
		when:    "the datagram is longer than UDP's length field allows",
		source:  "send(2); udp(7); net/ipv4/udp.c, udp_sendmsg; net/ipv6/ip6_output.c, __ip6_append_data",
		produce: func(lab *harness.Lab) error { return send(dialled(lab, datagram(lab)), 1<<16) },
	},
	{
		errno: unix.EMSGSIZE, call: "recv(2)",
		when:   "an earlier datagram was too big for the path, and a router has reported that (fragmentation needed; IPv6: packet too big)",
		source: "ip(7), IP_MTU_DISCOVER; net/ipv4/udp.c, udp_err; net/ipv6/udp.c, udpv6_err",
		produce: func(lab *harness.Lab) error {
			fd := dialled(lab, datagram(lab))
			lab.Apply(scenarios.PathMTU{MTU: 1300})
			Expect(send(fd, 1400)).To(Succeed())
			giveUpAfter(fd, time.Second)
			return receive(fd)
		},
		through: harness.Firewalled,
	},
	{
		errno: unix.ECONNREFUSED, call: "recv(2)",
		when:   "the socket is UDP and connected, and nobody received an earlier datagram: ICMP port unreachable",
		source: "udp(7); net/ipv4/udp.c, udp_err; net/ipv6/udp.c, udpv6_err",
		produce: func(lab *harness.Lab) error {
			fd := dialled(lab, datagram(lab))
			Expect(send(fd, 1)).To(Succeed())
			return receive(fd)
		},
	},
	{
		errno: unix.EACCES, call: "sendto(2)",
		when:   "the address is a broadcast address and SO_BROADCAST is not set",
		source: "ip(7); net/ipv4/udp.c, udp_sendmsg",
		over:   sock.IPv4,
		produce: func(lab *harness.Lab) error {
			return unix.Sendto(datagram(lab), []byte("everybody"), 0, broadcast(lab))
		},
	},
	{
		errno: unix.EPERM, call: "send(2)",
		when:   "the socket is UDP, and a firewall rule on the client itself drops the datagram (iptables -A OUTPUT … -j DROP)",
		source: "net/netfilter/core.c, nf_hook_slow",
		produce: func(lab *harness.Lab) error {
			lab.Apply(ownFirewall(lab, "udp"))
			return send(dialled(lab, datagram(lab)), 1)
		},
	},
	{
		errno: unix.ENOBUFS, call: "send(2)",
		when:   "the queue of the link is full, and the socket is UDP and has asked for all errors (IP_RECVERR)",
		source: "send(2); net/ipv4/udp.c, udp_send_skb; net/ipv6/udp.c, udp_v6_send_skb",
		produce: func(lab *harness.Lab) error {
			fd := dialled(lab, datagram(lab))
			level, option := unix.IPPROTO_IP, unix.IP_RECVERR
			if lab.Family() == sock.IPv6 {
				level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
			}
			Expect(unix.SetsockoptInt(fd, level, option, 1)).To(Succeed())
			lab.Apply(queueFull(lab))
			return send(fd, 1)
		},
	},
	{
		errno: unix.ENOBUFS, call: "setsockopt(2)",
		when:   "the socket is already in as many multicast groups as igmp_max_memberships allows",
		source: "ip-sysctl.rst, igmp_max_memberships; net/ipv4/igmp.c, __ip_mc_join_group",
		over:   sock.IPv4,
		produce: func(lab *harness.Lab) error {
			lab.Client.Sysctl("ipv4/igmp_max_memberships", 1)
			fd := datagram(lab)
			on := lab.Client.Address().As4()
			join := func(group [4]byte) error {
				return unix.SetsockoptIPMreq(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreq{Multiaddr: group, Interface: on})
			}
			Expect(join([4]byte{233, 252, 0, 1})).To(Succeed()) // for documentation (RFC 6676)
			return join([4]byte{233, 252, 0, 2})
		},
	},
	{
		errno: unix.ENOBUFS, call: "recv(2)",
		when:   "the socket is a netlink socket, and the kernel had more events than fit into its buffer: events are lost",
		source: "netlink(7); net/netlink/af_netlink.c, netlink_overrun",
		over:   familyless,
		produce: func(lab *harness.Lab) error {
			fd := open(lab, unix.AF_NETLINK, unix.SOCK_RAW)
			Expect(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1)).To(Succeed()) // the kernel takes its minimum
			Expect(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK})).To(Succeed())
			giveUpAfter(fd, time.Second)
			lab.Apply(situation{
				what: "the client's link goes down and up many times", byHand: "ip link set LINK down; ip link set LINK up",
				arise: func() (err error) {
					link := lab.Client.LinkTo(lab.Server)
					for i := 0; i < 20 && err == nil; i++ {
						if err = lab.Client.Links().Down(link); err == nil {
							err = lab.Client.Links().Up(link)
						}
					}
					return err
				},
			})
			return receive(fd)
		},
	},
	{
		errno: unix.ENETDOWN, call: "sendto(2)",
		when:   "the socket is a packet socket and its link is down",
		source: "packet(7); net/packet/af_packet.c, packet_snd",
		over:   familyless,
		produce: func(lab *harness.Lab) error {
			fd, link := packetSocket(lab)
			lab.Apply(linkDown(lab))
			return unix.Sendto(fd, []byte("frame"), 0, link)
		},
	},
	{
		errno: unix.ENETDOWN, call: "recv(2)",
		when:   "the socket is a packet socket and its link goes down",
		source: "packet(7); net/packet/af_packet.c, packet_notifier",
		over:   familyless,
		produce: func(lab *harness.Lab) error {
			fd, link := packetSocket(lab)
			Expect(unix.Bind(fd, link)).To(Succeed())
			giveUpAfter(fd, time.Second)
			lab.Apply(linkDown(lab))
			return receive(fd)
		},
	},
}

// broadcast returns the broadcast address of the client's network, a /26.
func broadcast(lab *harness.Lab) *unix.SockaddrInet4 {
	address := &unix.SockaddrInet4{Port: 5000, Addr: lab.Client.Address().As4()}
	address.Addr[3] |= 63
	return address
}

// packetSocket returns a packet socket of the client, and the address of the client's link.
// The socket receives nothing, because its protocol is the one that IEEE 802 reserves for
// local experiments.
func packetSocket(lab *harness.Lab) (fd int, link *unix.SockaddrLinklayer) {
	const experimental = 0xb588 // 0x88b5 in network byte order
	fd = open(lab, unix.AF_PACKET, unix.SOCK_DGRAM)
	link = &unix.SockaddrLinklayer{Protocol: experimental, Halen: 6}
	Expect(lab.Client.Do(func() error {
		found, err := net.InterfaceByName(lab.Client.LinkTo(lab.Server))
		if err == nil {
			link.Ifindex = found.Index
		}
		return err
	})).To(Succeed())
	return fd, link
}

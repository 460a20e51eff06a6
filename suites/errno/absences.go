package errno

import (
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// absences holds the errnos that manual pages or POSIX make one expect from a call, and that
// Linux does not return from it.
var absences = []absence{
	{
		errno:  unix.EACCES,
		reason: "connect(2) names it for a broadcast address without SO_BROADCAST and means UDP; TCP has no route to that address, with the option or without",
		instead: recipe{
			errno: unix.ENETUNREACH, call: "connect(2)",
			when:    "a TCP socket connects to a broadcast address",
			source:  "net/ipv4/tcp_ipv4.c, tcp_v4_connect",
			over:    sock.IPv4,
			produce: func(lab *harness.Lab) error { return dial(stream(lab), broadcast(lab)) },
		},
	},
	{
		errno:  unix.ECONNABORTED,
		reason: "According to POSIX, accept(2) reports that the client has aborted; Linux leaves the connection in the queue, and the first read reports it",
		instead: recipe{
			errno: unix.ECONNRESET, call: "recv(2)",
			when:   "the client aborts before the server accepts, and accept(2) succeeds",
			source: "net/ipv4/inet_connection_sock.c, inet_csk_accept",
			produce: func(lab *harness.Lab) error {
				listener := lab.Server.Listen(5000, 1)
				client := lab.Dial(5000)
				client.Abort()
				Expect(lab.Server).To(HaveReceived(1, capture.RST, Within(time.Second)))
				return received(listener.Accept("server"))
			},
		},
	},
	{
		errno:  unix.EDESTADDRREQ,
		reason: "send(2) names it for a socket that is not connected and means UDP; for TCP there is no connection",
		instead: recipe{
			errno: unix.EPIPE, call: "send(2)",
			when:   "the socket is a TCP listener",
			source: "net/ipv4/tcp.c, tcp_sendmsg_locked; net/core/stream.c, sk_stream_wait_connect",
			produce: func(lab *harness.Lab) error {
				return lab.Server.Listen(5000, 1).Socket.Control(func(fd int) error { return send(fd, 1) })
			},
		},
	},
	{
		errno:  unix.EHOSTDOWN,
		reason: "Only ICMP code 7 produces it, which IPv6 does not have; the kernel cannot tell a host that is off from one that does not exist",
		instead: recipe{
			errno: unix.EHOSTUNREACH, call: "connect(2)",
			when:    "the server is on the client's own network and is off",
			source:  "net/ipv4/route.c, ipv4_link_failure; net/ipv6/route.c, ip6_link_failure",
			waits:   3 * time.Second,
			produce: func(lab *harness.Lab) error { return connect(lab, nobody(lab)) },
		},
	},
	{
		errno:  unix.EISCONN,
		reason: "send(2) names it for a call with an address on a connected socket; TCP ignores the address",
		instead: recipe{
			call:   "sendto(2)",
			when:   "a connected TCP socket sends to another address",
			source: "send(2); net/ipv4/tcp.c, tcp_sendmsg_locked",
			produce: func(lab *harness.Lab) error {
				client, server := lab.Connect(5000)
				err := client.Socket.Control(func(fd int) error {
					return unix.Sendto(fd, []byte("hello"), 0, sock.Sockaddr(lab.Client.AddressPort(7)))
				})
				Expect(server.Read()).To(Equal("hello"))
				return err
			},
		},
	},
	{
		errno:  unix.EMSGSIZE,
		reason: "A stream has no messages that could be too long; TCP takes as much as it has room for",
		instead: recipe{
			call:   "send(2)",
			when:   "a TCP socket sends more data than fits into any datagram",
			source: "send(2); net/ipv4/tcp.c, tcp_sendmsg_locked",
			produce: func(lab *harness.Lab) error {
				client, _ := lab.Connect(5000)
				n, err := client.Socket.Send(make([]byte, 16<<20))
				Expect(n).To(BeNumerically(">", 0))
				return err
			},
		},
	},
	{
		errno:  unix.ENETDOWN,
		reason: "A link that goes down takes its routes with it, so for IP the network is unknown and not down; packet sockets do get it",
		instead: recipe{
			errno: unix.ENETUNREACH, call: "sendto(2)",
			when:   "a UDP socket sends while the client's own link is down",
			source: "net/ipv4/fib_frontend.c, fib_netdev_event; net/ipv6/route.c, rt6_disable_ip",
			produce: func(lab *harness.Lab) error {
				fd := datagram(lab)
				lab.Apply(linkDown(lab))
				return unix.Sendto(fd, []byte("anyone?"), 0, toServer(lab))
			},
		},
	},
	{
		errno:  unix.ENOBUFS,
		reason: "For TCP a full queue is a lost segment, which it sends again; when memory runs out, it waits or gives EAGAIN",
		instead: recipe{
			call:   "send(2)",
			when:   "a TCP socket sends while the queue of the link is full; what follows is as if the peer were gone",
			source: "send(2); net/ipv4/tcp_output.c, __tcp_transmit_skb",
			produce: func(lab *harness.Lab) error {
				client, _ := lab.Connect(5000)
				lab.Apply(queueFull(lab))
				err := client.Write("anyone?")
				Expect(client.Socket.Queues()).To(HaveField("Sent", len("anyone?")), "it stays in the send queue")
				Expect(client).To(StayAlive(500 * time.Millisecond))
				Expect(client.Socket.Queues()).To(HaveField("Sent", len("anyone?")), "it stays in the send queue")
				return err
			},
		},
	},
	{
		errno:  unix.EPERM,
		reason: "connect(2) names it for a firewall rule on the client itself; for TCP a SYN dropped there is a lost SYN, which it sends again",
		instead: recipe{
			errno: unix.ETIMEDOUT, call: "connect(2)",
			when:   "a firewall rule on the client itself drops every SYN",
			source: "net/ipv4/tcp_output.c, tcp_connect",
			waits:  3 * time.Second,
			produce: func(lab *harness.Lab) error {
				lab.Client.Sysctl("ipv4/tcp_syn_retries", 1)
				lab.Server.Listen(5000, 1)
				lab.Apply(ownFirewall(lab, "tcp"))
				return connect(lab, lab.Server.AddressPort(5000))
			},
		},
	},
	{
		errno:  unix.EPROTOTYPE,
		reason: "According to POSIX, socket(2) gives it for a protocol of another type; IP sockets never do; local sockets (AF_UNIX) do, from connect(2)",
		instead: recipe{
			errno: unix.EPROTONOSUPPORT, call: "socket(2)",
			when:   "the type is SOCK_DGRAM and the protocol IPPROTO_TCP",
			source: "net/ipv4/af_inet.c, inet_create; net/ipv6/af_inet6.c, inet6_create",
			produce: func(lab *harness.Lab) error {
				return socket(int(lab.Family()), unix.SOCK_DGRAM, unix.IPPROTO_TCP)
			},
		},
	},
}

package errno

import (
	"net/netip"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// connecting holds the errnos of a client that connects: its own mistakes, a server that
// refuses, and a server that does not answer.
var connecting = []recipe{
	{
		errno: unix.EINPROGRESS, call: "connect(2)",
		when:   "the socket is non-blocking: the SYN is on its way, and SO_ERROR has the outcome when the socket becomes writable",
		source: "connect(2)",
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			client := lab.Client.NewSocket("client")
			err := client.Connect(lab.Entrance(5000))
			Expect(connected(client)).To(Succeed())
			return err
		},
	},
	{
		errno: unix.EINPROGRESS, call: "connect(2)",
		when:   "the socket blocks with a time limit (SO_SNDTIMEO) and the time is over; the attempt goes on",
		source: "socket(7), SO_SNDTIMEO",
		produce: func(lab *harness.Lab) error {
			fd := stream(lab)
			giveUpAfter(fd, 100*time.Millisecond)
			lab.Apply(scenarios.SilentDrop{})
			err := dial(fd, toServer(lab))
			Expect(unix.Connect(fd, toServer(lab))).To(Equal(unix.EALREADY), "the attempt goes on")
			return err
		},
	},
	{
		errno: unix.EALREADY, call: "connect(2)",
		when:   "the socket is non-blocking and its attempt is still under way",
		source: "connect(2)",
		produce: func(lab *harness.Lab) error {
			lab.Apply(scenarios.SilentDrop{})
			client := lab.Client.NewSocket("client")
			Expect(client.Connect(lab.Server.AddressPort(5000))).To(Equal(unix.EINPROGRESS))
			time.Sleep(10 * time.Millisecond) // an answer would have come by now
			return client.Connect(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EISCONN, call: "connect(2)",
		when:   "the socket is connected, and an earlier connect(2) has reported that",
		source: "connect(2); net/ipv4/af_inet.c, __inet_stream_connect",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			Expect(client.Connect(lab.Entrance(5000))).To(Succeed(), "the outcome of the non-blocking attempt")
			return client.Connect(lab.Entrance(5000))
		},
	},
	{
		errno: unix.ECONNREFUSED, call: "connect(2)",
		when:   "no program listens on the port: the server's kernel answers with RST",
		source: "connect(2); RFC 9293 §3.10.7.1",
		produce: func(lab *harness.Lab) error {
			return connect(lab, lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.ECONNREFUSED, call: "connect(2)",
		when:    "a firewall rejects with ICMP port unreachable, the default of iptables' REJECT",
		source:  "iptables-extensions(8), REJECT; net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach",
		produce: connectingInto(scenarios.PortUnreachable), through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.ECONNREFUSED, call: "recv(2)",
		when:    "sent data is not acknowledged until the kernel gives up, and a firewall had rejected it with ICMP port unreachable",
		source:  "net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv4/tcp_timer.c, tcp_write_err",
		produce: softly(scenarios.PortUnreachable), through: harness.Firewalled, waits: 2 * time.Second,
	},
	{
		errno: unix.ENOPROTOOPT, call: "connect(2)",
		when:    "a router answers with ICMP protocol unreachable",
		source:  "net/ipv4/icmp.c, icmp_err_convert",
		produce: connectingInto(scenarios.ProtocolUnreachable), over: sock.IPv4, through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.EACCES, call: "connect(2)",
		when:    "a router answers with ICMPv6 administratively prohibited",
		source:  "net/ipv6/icmp.c, tab_unreach",
		produce: connectingInto(scenarios.ProtocolUnreachable), over: sock.IPv6, through: harness.Firewalled, waits: time.Second,
	},
	{
		errno: unix.EACCES, call: "connect(2)",
		when:   "the client's route to the server is of type prohibit",
		source: "ip-route(8); net/ipv4/fib_semantics.c, fib_props; net/ipv6/route.c, fib6_rt_type_to_error",
		produce: func(lab *harness.Lab) error {
			lab.Apply(routeOf(lab, unix.RTN_PROHIBIT, "prohibit"))
			return connect(lab, lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EINVAL, call: "connect(2)",
		when:   "the client's route to the server is of type blackhole",
		source: "ip-route(8); net/ipv4/fib_semantics.c, fib_props; net/ipv6/route.c, fib6_rt_type_to_error",
		produce: func(lab *harness.Lab) error {
			lab.Apply(routeOf(lab, unix.RTN_BLACKHOLE, "blackhole"))
			return connect(lab, lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EINVAL, call: "connect(2)",
		when:    "the address is link-local (fe80::…) and does not name the link (sin6_scope_id)",
		source:  "ipv6(7); net/ipv6/tcp_ipv6.c, tcp_v6_connect",
		over:    sock.IPv6,
		produce: func(lab *harness.Lab) error { return connect(lab, netip.MustParseAddrPort("[fe80::1]:5000")) },
	},
	{
		errno: unix.EAFNOSUPPORT, call: "connect(2)",
		when:   "the socket and the address (in a sockaddr_storage) are of different address families",
		source: "connect(2); net/ipv4/tcp_ipv4.c, tcp_v4_connect; net/ipv6/tcp_ipv6.c, tcp_v6_connect",
		produce: func(lab *harness.Lab) error {
			return onOtherFamily(lab, unix.SYS_CONNECT, lab.Client.NewSocket("client"))
		},
	},
	{
		errno: unix.EADDRNOTAVAIL, call: "connect(2)",
		when:   "every ephemeral port already has a connection to this server",
		source: "connect(2); ip(7), ip_local_port_range; net/ipv4/inet_hashtables.c, __inet_hash_connect",
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 2)
			lab.Apply(portsTaken(lab, func(c *harness.Conn) error {
				c.MustConnect(lab.Entrance(5000))
				return nil
			}))
			return connect(lab, lab.Entrance(5000))
		},
	},
	{
		errno: unix.EADDRNOTAVAIL, call: "connect(2)",
		when:   "the program has chosen its port (bind with SO_REUSEADDR), and the port already has a connection to this server",
		source: "net/ipv4/inet_hashtables.c, __inet_check_established",
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 2)
			earlier, later := reusing(lab.Client.NewSocket("client")), reusing(lab.Client.NewSocket("its double"))
			for _, c := range []*harness.Conn{earlier, later} {
				Expect(c.Socket.Bind(lab.Client.AddressPort(6000))).To(Succeed())
			}
			lab.Apply(situation{
				what: "a connection with the same two addresses and ports exists", byHand: "nc -p 6000 SERVER 5000",
				arise: func() error {
					earlier.MustConnect(lab.Entrance(5000))
					return nil
				},
			})
			return later.Connect(lab.Entrance(5000))
		},
	},
	{
		errno: unix.ECONNABORTED, call: "connect(2)",
		when:   "the socket's attempt has failed, SO_ERROR has reported that, and the program tries again with the same socket",
		source: "net/ipv4/af_inet.c, __inet_stream_connect",
		produce: func(lab *harness.Lab) error {
			client := lab.Client.NewSocket("client")
			Expect(client.Connect(lab.Server.AddressPort(5000))).To(Equal(unix.EINPROGRESS))
			Expect(connected(client)).To(Equal(unix.ECONNREFUSED))
			return client.Connect(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EPROTOTYPE, call: "connect(2)",
		when:   "the socket at the path is of another type, such as syslog's /dev/log (AF_UNIX)",
		source: "unix(7); net/unix/af_unix.c, unix_find_bsd",
		over:   familyless,
		produce: func(lab *harness.Lab) error {
			path := &unix.SockaddrUnix{Name: filepath.Join(GinkgoT().TempDir(), "log")}
			log := open(lab, unix.AF_UNIX, unix.SOCK_DGRAM)
			Expect(unix.Bind(log, path)).To(Succeed())
			return dial(open(lab, unix.AF_UNIX, unix.SOCK_STREAM), path)
		},
	},
	{
		errno: unix.ETIMEDOUT, call: "connect(2)",
		when:   "nobody answers the SYN and its tcp_syn_retries repetitions: by default more than two minutes",
		source: "connect(2); tcp(7), tcp_syn_retries",
		waits:  3 * time.Second,
		produce: func(lab *harness.Lab) error {
			lab.Client.Sysctl("ipv4/tcp_syn_retries", 1)
			lab.Server.Listen(5000, 1)
			lab.Apply(scenarios.SilentDrop{})
			return connect(lab, lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.ETIMEDOUT, call: "connect(2)",
		when:   "nobody answers the SYN within TCP_USER_TIMEOUT",
		source: "tcp(7), TCP_USER_TIMEOUT; net/ipv4/tcp_timer.c, tcp_write_timeout",
		waits:  2 * time.Second,
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			lab.Apply(scenarios.SilentDrop{})
			client := lab.Client.NewSocket("client")
			client.UserTimeout(2 * time.Second)
			Expect(client.Connect(lab.Server.AddressPort(5000))).To(Equal(unix.EINPROGRESS))
			return connected(client)
		},
	},
}

// connectingInto returns how a connection attempt ends if the server would accept it but a
// router answers with an ICMP error.
func connectingInto(answer scenarios.ICMP) func(*harness.Lab) error {
	return func(lab *harness.Lab) error { return connected(ConnectInto(lab, answer)) }
}

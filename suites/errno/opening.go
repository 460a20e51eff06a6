package errno

import (
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// opening holds the errnos of a server before it serves: socket, bind, listen, accept.
var opening = []recipe{
	{
		errno: unix.EPROTONOSUPPORT, call: "socket(2)",
		when:   "the type and the protocol do not fit: SOCK_STREAM with IPPROTO_UDP",
		source: "socket(2); net/ipv4/af_inet.c, inet_create",
		produce: func(lab *harness.Lab) error {
			return socket(int(lab.Family()), unix.SOCK_STREAM, unix.IPPROTO_UDP)
		},
	},
	{
		errno: unix.ESOCKTNOSUPPORT, call: "socket(2)",
		when:    "the address family does not have the type: SOCK_RDM over IP",
		source:  "net/ipv4/af_inet.c, inet_create; net/ipv6/af_inet6.c, inet6_create",
		produce: func(lab *harness.Lab) error { return socket(int(lab.Family()), unix.SOCK_RDM, 0) },
	},
	{
		errno: unix.EAFNOSUPPORT, call: "socket(2)",
		when:    "the kernel does not have the address family: DECnet, which Linux 6.1 removed",
		source:  "socket(2); net/socket.c, __sock_create",
		over:    familyless,
		produce: func(*harness.Lab) error { return socket(unix.AF_DECnet, unix.SOCK_STREAM, 0) },
	},
	{
		errno: unix.EMFILE, call: "socket(2)",
		when:   "the program has as many open descriptors as it may have (ulimit -n)",
		source: "socket(2); getrlimit(2), RLIMIT_NOFILE",
		produce: func(lab *harness.Lab) error {
			return withoutDescriptors(lab, func() error { return socket(int(lab.Family()), unix.SOCK_STREAM, 0) })
		},
	},
	{
		errno: unix.EMFILE, call: "accept(2)",
		when:   "the server has as many open descriptors as it may have; the client stays in the accept queue",
		source: "accept(2); getrlimit(2), RLIMIT_NOFILE",
		produce: func(lab *harness.Lab) error {
			listener := lab.Server.Listen(5000, 1)
			lab.Dial(5000)
			err := withoutDescriptors(lab, func() error { return listener.Socket.Control(accept) })
			Expect(listener.Socket.Control(accept)).To(Succeed(), "the client is still in the queue")
			return err
		},
	},
	{
		errno: unix.EADDRINUSE, call: "bind(2)",
		when:   "another program listens on the port",
		source: "bind(2)",
		produce: func(lab *harness.Lab) error {
			lab.Apply(portServed(lab))
			return lab.Server.NewSocket("another server").Socket.Bind(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EADDRINUSE, call: "bind(2)",
		when:   "a server restarts without SO_REUSEADDR while a connection that it closed is in TIME_WAIT",
		source: "ip(7); socket(7), SO_REUSEADDR",
		produce: func(lab *harness.Lab) error {
			listener := lab.Server.Listen(5000, 1)
			client := lab.Dial(5000)
			server := listener.Accept("server")
			connection := server.TableEntry()
			listener.Close()
			server.Close()
			Expect(connection).To(EnterState(sock.FinWait2, Within(time.Second)))
			client.Close()
			Expect(connection).To(EnterState(sock.TimeWait, Within(time.Second)))
			return lab.Server.NewSocket("the next server").Socket.Bind(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EADDRINUSE, call: "bind(2)",
		when:   "the kernel is to choose the port (0) and every ephemeral port is in use",
		source: "bind(2); net/ipv4/inet_connection_sock.c, inet_csk_find_open_port",
		produce: func(lab *harness.Lab) error {
			anyPort := lab.Client.AddressPort(0)
			lab.Apply(portsTaken(lab, func(c *harness.Conn) error { return c.Socket.Bind(anyPort) }))
			return lab.Client.NewSocket("one too many").Socket.Bind(anyPort)
		},
	},
	{
		errno: unix.EADDRINUSE, call: "listen(2)",
		when:   "two sockets are bound to the port with SO_REUSEADDR, and the other one already listens",
		source: "listen(2); net/ipv4/inet_connection_sock.c, inet_csk_listen_start",
		produce: func(lab *harness.Lab) error {
			second := reusing(lab.Server.NewSocket("another server"))
			Expect(second.Socket.Bind(lab.Server.AddressPort(5000))).To(Succeed())
			lab.Apply(portServed(lab))
			return listen(second)
		},
	},
	{
		errno: unix.EADDRNOTAVAIL, call: "bind(2)",
		when:   "the address is another host's",
		source: "bind(2); ip(7), IP_FREEBIND",
		produce: func(lab *harness.Lab) error {
			return lab.Client.NewSocket("client").Socket.Bind(lab.Server.AddressPort(5000))
		},
	},
	{
		errno: unix.EACCES, call: "bind(2)",
		when:   "an ordinary user's server asks for a port below 1024 (sysctl net.ipv4.ip_unprivileged_port_start)",
		source: "ip(7); capabilities(7), CAP_NET_BIND_SERVICE",
		produce: func(lab *harness.Lab) error {
			server := lab.Server.NewSocket("server")
			return withoutPrivilegedPorts(lab, func() error { return server.Socket.Bind(lab.Server.AddressPort(80)) })
		},
	},
	{
		errno: unix.EINVAL, call: "bind(2)",
		when:   "the socket is already bound",
		source: "bind(2)",
		produce: func(lab *harness.Lab) error {
			server := lab.Server.NewSocket("server")
			Expect(server.Socket.Bind(lab.Server.AddressPort(5000))).To(Succeed())
			return server.Socket.Bind(lab.Server.AddressPort(5001))
		},
	},
	{
		errno: unix.EINVAL, call: "listen(2)",
		when:   "the socket is connected",
		source: "net/ipv4/af_inet.c, inet_listen",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			return listen(client)
		},
	},
	{
		errno: unix.EINVAL, call: "accept(2)",
		when:   "the socket does not listen",
		source: "accept(2)",
		produce: func(lab *harness.Lab) error {
			server := lab.Server.NewSocket("server")
			Expect(server.Socket.Bind(lab.Server.AddressPort(5000))).To(Succeed())
			return server.Socket.Control(accept)
		},
	},
	{
		errno: unix.EAGAIN, call: "accept(2)",
		when:   "the listener is non-blocking and no client waits",
		source: "accept(2)",
		produce: func(lab *harness.Lab) error {
			return lab.Server.Listen(5000, 1).Socket.Control(accept)
		},
	},
	{
		errno: unix.EAFNOSUPPORT, call: "bind(2)",
		when:   "the socket and the address (in a sockaddr_storage) are of different address families",
		source: "net/ipv4/af_inet.c, __inet_bind; net/ipv6/af_inet6.c, __inet6_bind",
		produce: func(lab *harness.Lab) error {
			return onOtherFamily(lab, unix.SYS_BIND, lab.Server.NewSocket("server"))
		},
	},
}

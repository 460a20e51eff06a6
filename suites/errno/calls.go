package errno

import (
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// calls holds the errnos of calls that read or change the state of a socket.
var calls = []recipe{
	{
		errno: unix.ENOPROTOOPT, call: "setsockopt(2)",
		when:   "the kernel does not have the option, for instance because it is older",
		source: "setsockopt(2); net/ipv4/tcp.c, do_tcp_setsockopt",
		produce: func(lab *harness.Lab) error {
			return lab.Client.NewSocket("client").Socket.SetOption(unix.IPPROTO_TCP, unknownOption, 1)
		},
	},
	{
		errno: unix.ENOPROTOOPT, call: "getsockopt(2)",
		when:   "the kernel does not have the option",
		source: "getsockopt(2); net/ipv4/tcp.c, do_tcp_getsockopt",
		produce: func(lab *harness.Lab) error {
			_, err := lab.Client.NewSocket("client").Socket.Option(unix.IPPROTO_TCP, unknownOption)
			return err
		},
	},
	{
		errno: unix.EOPNOTSUPP, call: "setsockopt(2)",
		when:   "the socket does not have the option's level: TCP_NODELAY on a local socket (AF_UNIX)",
		source: "net/socket.c, do_sock_setsockopt",
		over:   familyless,
		produce: func(lab *harness.Lab) error {
			return unix.SetsockoptInt(open(lab, unix.AF_UNIX, unix.SOCK_STREAM), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		},
	},
	{
		errno: unix.EINVAL, call: "setsockopt(2)",
		when:   "the value is out of range: TCP_KEEPIDLE of 0, or of more than 32767 s",
		source: "setsockopt(2); include/net/tcp.h, MAX_TCP_KEEPIDLE",
		produce: func(lab *harness.Lab) error {
			client := lab.Client.NewSocket("client")
			Expect(client.Socket.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 32768)).To(Equal(unix.EINVAL))
			return client.Socket.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 0)
		},
	},
	{
		errno: unix.ENOTCONN, call: "shutdown(2)",
		when:   "the connection has already ended, by RST",
		source: "shutdown(2); net/ipv4/af_inet.c, inet_shutdown",
		produce: func(lab *harness.Lab) error {
			return reset(lab).Socket.Shutdown(unix.SHUT_WR)
		},
	},
	{
		errno: unix.ENOTCONN, call: "getpeername(2)",
		when:   "the connection has already ended: the server asks too late for its client's address",
		source: "getpeername(2); net/ipv4/af_inet.c, inet_getname",
		produce: func(lab *harness.Lab) error {
			return reset(lab).Socket.Control(func(fd int) error {
				_, err := unix.Getpeername(fd)
				return err
			})
		},
	},
	{
		errno: unix.ENOTSOCK, call: "getsockopt(2)",
		when:   "the descriptor is a pipe: a program for inetd(8) runs in a pipeline",
		source: "getsockopt(2)",
		over:   familyless,
		produce: func(*harness.Lab) error {
			var pipe [2]int
			Expect(unix.Pipe2(pipe[:], unix.O_CLOEXEC)).To(Succeed())
			defer func() { _, _ = unix.Close(pipe[0]), unix.Close(pipe[1]) }()
			_, err := unix.GetsockoptInt(pipe[0], unix.SOL_SOCKET, unix.SO_TYPE)
			return err
		},
	},
}

// unknownOption is not an option of TCP.
const unknownOption = 9999

// reset returns a connection of the client that its peer has aborted.
func reset(lab *harness.Lab) *harness.Conn {
	client, server := lab.Connect(5000)
	server.Abort()
	Expect(client).To(EnterState(sock.Closed, Within(time.Second)))
	return client
}

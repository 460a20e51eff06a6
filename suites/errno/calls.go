package errno

import (
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// calls is what a program meets that asks for a socket's state or changes it.
var calls = []recipe{
	{
		errno: unix.ENOPROTOOPT, call: "setsockopt(2)",
		when:   "the kernel has no such option, as with one that is newer than it",
		source: "setsockopt(2); net/ipv4/tcp.c, do_tcp_setsockopt",
		cook: func(lab *harness.Lab) error {
			return lab.Client.NewSocket("client").Socket.SetOption(unix.IPPROTO_TCP, unknownOption, 1)
		},
	},
	{
		errno: unix.ENOPROTOOPT, call: "getsockopt(2)",
		when:   "the kernel has no such option",
		source: "getsockopt(2); net/ipv4/tcp.c, do_tcp_getsockopt",
		cook: func(lab *harness.Lab) error {
			_, err := lab.Client.NewSocket("client").Socket.Option(unix.IPPROTO_TCP, unknownOption)
			return err
		},
	},
	{
		errno: unix.EOPNOTSUPP, call: "setsockopt(2)",
		when:   "the option is of a level that the socket has not got: TCP_NODELAY on a local socket (AF_UNIX)",
		source: "net/socket.c, do_sock_setsockopt",
		over:   familyless,
		cook: func(lab *harness.Lab) error {
			return unix.SetsockoptInt(open(lab, unix.AF_UNIX, unix.SOCK_STREAM), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		},
	},
	{
		errno: unix.EINVAL, call: "setsockopt(2)",
		when:   "the value is out of range: TCP_KEEPIDLE of 0, or of more than 32767 s",
		source: "setsockopt(2); include/net/tcp.h, MAX_TCP_KEEPIDLE",
		cook: func(lab *harness.Lab) error {
			client := lab.Client.NewSocket("client")
			Expect(client.Socket.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 32768)).To(Equal(unix.EINVAL))
			return client.Socket.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 0)
		},
	},
	{
		errno: unix.ENOTCONN, call: "shutdown(2)",
		when:   "the connection has ended already: RST came first",
		source: "shutdown(2); net/ipv4/af_inet.c, inet_shutdown",
		cook: func(lab *harness.Lab) error {
			return reset(lab).Socket.Shutdown(unix.SHUT_WR)
		},
	},
	{
		errno: unix.ENOTCONN, call: "getpeername(2)",
		when:   "the connection has ended already: a server asks too late who its client was",
		source: "getpeername(2); net/ipv4/af_inet.c, inet_getname",
		cook: func(lab *harness.Lab) error {
			return reset(lab).Socket.Control(func(fd int) error {
				_, err := unix.Getpeername(fd)
				return err
			})
		},
	},
	{
		errno: unix.ENOTSOCK, call: "getsockopt(2)",
		when:   "the descriptor is a pipe: a program for inetd(8) runs in a pipeline instead",
		source: "getsockopt(2)",
		over:   familyless,
		cook: func(*harness.Lab) error {
			var pipe [2]int
			Expect(unix.Pipe2(pipe[:], unix.O_CLOEXEC)).To(Succeed())
			defer func() { _, _ = unix.Close(pipe[0]), unix.Close(pipe[1]) }()
			_, err := unix.GetsockoptInt(pipe[0], unix.SOL_SOCKET, unix.SO_TYPE)
			return err
		},
	},
}

// unknownOption is no option of TCP.
const unknownOption = 9999

// reset is a connection of the client that its peer has aborted.
func reset(lab *harness.Lab) *harness.Conn {
	client, server := lab.Connect(5000)
	server.Abort()
	Expect(client).To(EnterState(sock.Closed, Within(time.Second)))
	return client
}

package errno

import (
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// writing holds the errnos of a program that writes to a connection. Without MSG_NOSIGNAL the
// kernel sends SIGPIPE together with EPIPE.
var writing = []recipe{
	{
		errno: unix.EAGAIN, call: "send(2)",
		when:   "the socket is non-blocking and the send buffer is full: the peer does not read",
		source: "send(2)",
		produce: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})
			_, err := client.Socket.Send([]byte("more"))
			return err
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the program has shut down its own sending side",
		source: "send(2); net/ipv4/tcp.c, tcp_sendmsg_locked",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			client.CloseWrite()
			return client.Write("one thing more")
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the peer has closed, and an earlier write, which succeeded, was answered with RST",
		source: "net/ipv4/tcp_input.c, tcp_reset",
		produce: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			connection := server.TableEntry()
			server.Close()
			Expect(connection).To(EnterState(sock.FinWait2, Within(time.Second)), "the FIN has arrived")
			Expect(client.Write("first")).To(Succeed())
			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
			Expect(client).To(EnterState(sock.Closed, Within(time.Second)))
			return client.Write("second")
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the peer has aborted, and a read has already reported that (ECONNRESET)",
		source: "net/core/stream.c, sk_stream_error",
		produce: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			server.Abort()
			Expect(received(client)).To(Equal(unix.ECONNRESET))
			return client.Write("anyone?")
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the socket was never connected",
		source: "net/ipv4/tcp.c, tcp_sendmsg_locked; net/core/stream.c, sk_stream_wait_connect",
		produce: func(lab *harness.Lab) error {
			return lab.Client.NewSocket("client").Write("anyone?")
		},
	},
	{
		errno: unix.ECONNRESET, call: "send(2)",
		when:   "the peer has aborted, and this is the first call after it",
		source: "send(2); net/core/stream.c, sk_stream_error",
		produce: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			server.Abort()
			Expect(client).To(EnterState(sock.Closed, Within(time.Second)))
			return client.Write("anyone?")
		},
	},
	{
		errno: unix.EOPNOTSUPP, call: "sendto(2)",
		when:   "the SYN is to carry data (MSG_FASTOPEN) and the sysctl net.ipv4.tcp_fastopen forbids it",
		source: "ip-sysctl.rst, tcp_fastopen; net/ipv4/tcp.c, tcp_sendmsg_fastopen",
		produce: func(lab *harness.Lab) error {
			lab.Client.Sysctl("ipv4/tcp_fastopen", 0)
			return lab.Client.NewSocket("client").Socket.Control(func(fd int) error {
				return unix.Sendto(fd, []byte("early"), unix.MSG_FASTOPEN, toServer(lab))
			})
		},
	},
}

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

// writing is what a program meets that writes to a connection. Without MSG_NOSIGNAL
// an EPIPE comes with SIGPIPE.
var writing = []recipe{
	{
		errno: unix.EAGAIN, call: "send(2)",
		when:   "the socket does not block and the send buffer is full: the peer does not read",
		source: "send(2)",
		cook: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})
			_, err := client.Socket.Send([]byte("more"))
			return err
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the program has shut its own sending side down",
		source: "send(2); net/ipv4/tcp.c, tcp_sendmsg_locked",
		cook: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			client.CloseWrite()
			return client.Write("one thing more")
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the peer has closed, and an earlier write, which succeeded, was answered with RST",
		source: "net/ipv4/tcp_input.c, tcp_reset",
		cook: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			connection := server.TableEntry()
			server.Close()
			Expect(connection).To(EnterState(sock.FinWait2, Within(time.Second)), "the FIN has come")
			Expect(client.Write("first")).To(Succeed())
			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
			Expect(client).To(EnterState(sock.Closed, Within(time.Second)))
			return client.Write("second")
		},
	},
	{
		errno: unix.EPIPE, call: "send(2)",
		when:   "the peer has aborted, and a read has told so (ECONNRESET) already",
		source: "net/core/stream.c, sk_stream_error",
		cook: func(lab *harness.Lab) error {
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
		cook: func(lab *harness.Lab) error {
			return lab.Client.NewSocket("client").Write("anyone?")
		},
	},
	{
		errno: unix.ECONNRESET, call: "send(2)",
		when:   "the peer has aborted, and this is the first call that can tell",
		source: "send(2); net/core/stream.c, sk_stream_error",
		cook: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			server.Abort()
			Expect(client).To(EnterState(sock.Closed, Within(time.Second)))
			return client.Write("anyone?")
		},
	},
	{
		errno: unix.EOPNOTSUPP, call: "sendto(2)",
		when:   "data is to go with the SYN (MSG_FASTOPEN) and the sysctl net.ipv4.tcp_fastopen forbids it",
		source: "ip-sysctl.rst, tcp_fastopen; net/ipv4/tcp.c, tcp_sendmsg_fastopen",
		cook: func(lab *harness.Lab) error {
			lab.Client.Sysctl("ipv4/tcp_fastopen", 0)
			return lab.Client.NewSocket("client").Socket.Control(func(fd int) error {
				return unix.Sendto(fd, []byte("early"), unix.MSG_FASTOPEN, toServer(lab))
			})
		},
	},
}

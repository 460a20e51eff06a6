package errno

import (
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// reading holds the errnos of a program that reads from a connection.
var reading = []recipe{
	{
		errno: unix.EAGAIN, call: "recv(2)",
		when:   "the socket is non-blocking and nothing has arrived yet; it is not the end",
		source: "recv(2)",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			_, err := client.Receive(make([]byte, 16))
			return err
		},
	},
	{
		errno: unix.EAGAIN, call: "recv(2)",
		when:   "the socket blocks with a time limit (SO_RCVTIMEO) and the time is over",
		source: "socket(7), SO_RCVTIMEO",
		produce: func(lab *harness.Lab) error {
			fd := dialled(lab, stream(lab))
			giveUpAfter(fd, 100*time.Millisecond)
			return receive(fd)
		},
	},
	{
		errno: unix.EINVAL, call: "recv(2)",
		when:   "the call asks for urgent data (MSG_OOB) and there is none",
		source: "recv(2); net/ipv4/tcp.c, tcp_recv_urg",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			return client.Socket.Control(func(fd int) error {
				_, _, err := unix.Recvfrom(fd, make([]byte, 1), unix.MSG_OOB)
				return err
			})
		},
	},
	{
		errno: unix.ENOTCONN, call: "recv(2)",
		when:   "the socket was never connected",
		source: "recv(2); net/ipv4/tcp.c, tcp_recvmsg_locked",
		produce: func(lab *harness.Lab) error {
			_, err := lab.Client.NewSocket("client").Receive(make([]byte, 16))
			return err
		},
	},
	{
		errno: unix.ENOTSOCK, call: "recv(2)",
		when:   "the descriptor is a pipe: the socket was closed, and a pipe has its number now",
		source: "recv(2); net/socket.c, sockfd_lookup_light",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			var pipe [2]int
			Expect(unix.Pipe2(pipe[:], unix.O_CLOEXEC)).To(Succeed())
			defer func() { _ = unix.Close(pipe[1]) }()
			return client.Socket.Control(func(fd int) error {
				Expect(unix.Dup3(pipe[0], fd, unix.O_CLOEXEC)).To(Succeed())
				Expect(unix.Close(pipe[0])).To(Succeed())
				return receive(fd)
			})
		},
	},
}

// gone holds the errnos by which a reading program learns that its connection has ended.
var gone = []recipe{
	{
		errno: unix.ECONNRESET, call: "recv(2)",
		when:   "the peer has aborted (linger 0): RST; the kernel reports it once, and then reads give 0",
		source: "recv(2); RFC 9293 §3.10.7.4",
		produce: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			server.Abort()
			err := received(client)
			Expect(client.Read()).To(BeEmpty(), "the zero-read")
			return err
		},
	},
	{
		errno: unix.ECONNRESET, call: "recv(2)",
		when:   "the peer has closed without reading all data",
		source: "RFC 2525 §2.17; net/ipv4/tcp.c, __tcp_close",
		produce: func(lab *harness.Lab) error {
			client, server := lab.Connect(5000)
			Expect(client.Write("never read")).To(Succeed())
			Expect(server).To(BeReadable(Within(time.Second)))
			server.Close()
			return received(client)
		},
	},
	{
		errno: unix.ECONNRESET, call: "recv(2)",
		when:   "the peer has rebooted, does not know the connection, and receives data",
		source: "RFC 9293 §3.5.1",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			outage := scenarios.PowerOff{Host: lab.Server}
			lab.Apply(outage)
			lab.Heal(outage)
			Expect(client.Write("anyone?")).To(Succeed())
			return received(client)
		},
	},
	{
		errno: unix.ECONNRESET, call: "recv(2)",
		when:   "a firewall on the path has forgotten the flow and answers data with RST",
		source: "iptables-extensions(8), REJECT --reject-with tcp-reset",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			lab.Apply(scenarios.StateFlush{Then: firewall.ResetSender})
			Expect(client.Write("anyone?")).To(Succeed())
			return received(client)
		},
		through: harness.Firewalled,
	},
	{
		errno: unix.ECONNABORTED, call: "recv(2)",
		when:   "the administrator has ended the connection with ss -K",
		source: "ss(8); net/ipv4/tcp.c, tcp_abort",
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			client.Destroy()
			return received(client)
		},
	},
	{
		errno: unix.ETIMEDOUT, call: "recv(2)",
		when:   "the peer is gone, the connection is idle, and keepalive probes stay unanswered",
		source: "tcp(7), TCP_KEEPIDLE and following; net/ipv4/tcp_timer.c, tcp_keepalive_timer",
		waits:  2 * time.Second,
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			client.Keepalive(oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 1})
			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			return received(client)
		},
	},
	{
		errno: unix.ETIMEDOUT, call: "recv(2)",
		when:   "sent data is not acknowledged within TCP_USER_TIMEOUT",
		source: "tcp(7), TCP_USER_TIMEOUT; RFC 5482",
		waits:  time.Second,
		produce: func(lab *harness.Lab) error {
			client, _ := lab.Connect(5000)
			client.UserTimeout(time.Second)
			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client.Write("anyone?")).To(Succeed())
			return received(client)
		},
	},
	{
		errno: unix.ETIMEDOUT, call: "recv(2)",
		when:   "sent data and its tcp_retries2 retransmissions are not acknowledged: by default a quarter of an hour",
		source: "tcp(7), tcp_retries2; net/ipv4/tcp_timer.c, tcp_write_timeout",
		waits:  time.Second,
		produce: func(lab *harness.Lab) error {
			lab.Client.Sysctl("ipv4/tcp_retries2", 1)
			client, _ := lab.Connect(5000)
			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client.Write("anyone?")).To(Succeed())
			return received(client)
		},
	},
}

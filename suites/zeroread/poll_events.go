package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The kernel sets the events in tcp_poll (net/ipv4/tcp.c).
var _ = Describe("The events that poll and epoll report", Rows("Z8"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("for each way in which a connection ends",
			func(end func(client, server *harness.Conn), state sock.State, events PollEvents) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				client, server := lab.Connect(5000)

				end(client, server)

				Expect(client).To(EnterState(state, Within(time.Second)))
				Expect(client).To(HavePollEvents(events, Within(time.Second)))
			},
			Entry("it has not ended: writable",
				func(_, _ *harness.Conn) {},
				sock.Established,
				PollEvents(unix.POLLOUT)),
			Entry("the peer sent FIN: readable, and POLLRDHUP",
				func(_, server *harness.Conn) { server.Close() },
				sock.CloseWait,
				PollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP)),
			Entry("this side shut down its sending side: writable as before",
				func(client, _ *harness.Conn) { client.CloseWrite() },
				sock.FinWait2,
				PollEvents(unix.POLLOUT)),
			Entry("both: POLLHUP in addition",
				func(client, server *harness.Conn) { client.CloseWrite(); server.Close() },
				sock.Closed,
				PollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP|unix.POLLHUP)),
			Entry("the peer sent RST: all of them, and POLLERR",
				func(_, server *harness.Conn) { server.Abort() },
				sock.Closed,
				PollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR)),
		)
	})
})

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

// Which events come is decided in tcp_poll (net/ipv4/tcp.c).
var _ = Describe("The events that poll and epoll report", Rows("Z8"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("for each way of ending",
			func(end func(client, server *harness.Conn), state sock.State, events PollEvents) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				client, server := lab.Connect(5000)

				end(client, server)

				Expect(client).To(EnterState(state, Within(time.Second)))
				Expect(client).To(HavePollEvents(events, Within(time.Second)))
			},
			Entry("nothing happened: writable",
				func(_, _ *harness.Conn) {},
				sock.Established,
				PollEvents(unix.POLLOUT)),
			Entry("the peer's FIN: readable, hung up on the reading side",
				func(_, server *harness.Conn) { server.Close() },
				sock.CloseWait,
				PollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP)),
			Entry("this side shut its sending side down: as before, always writable",
				func(client, _ *harness.Conn) { client.CloseWrite() },
				sock.FinWait2,
				PollEvents(unix.POLLOUT)),
			Entry("both: POLLHUP",
				func(client, server *harness.Conn) { client.CloseWrite(); server.Close() },
				sock.Closed,
				PollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP|unix.POLLHUP)),
			Entry("RST: all of them, and POLLERR",
				func(_, server *harness.Conn) { server.Abort() },
				sock.Closed,
				PollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR)),
		)
	})
})

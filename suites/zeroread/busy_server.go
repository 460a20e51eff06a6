package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A server that works on a long job when its client hangs up", Rows("Z2"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("notices without sending or consuming anything, and cancels the job",
			func(by fixtures.HangUpWatch) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				server := lab.StartServer(5000, fixtures.Busy{Job: 15 * time.Second, By: by})
				client := lab.Dial(5000)
				Expect(client.Write("a long job")).To(Succeed())
				server.Await(fixtures.Working)

				client.Close()

				Expect(server).To(Announce(fixtures.Cancelled, Within(time.Second)))
				Expect(lab.Client.Received(capture.Data)).To(BeEmpty(), "the server sent nothing to find out")
			},
			Entry("by select", fixtures.WatchBySelect),
			Entry("by poll", fixtures.WatchByPoll),
			Entry("by epoll, level-triggered", fixtures.WatchByEpollLevel),
			Entry("by epoll, edge-triggered", fixtures.WatchByEpollEdge),
			Entry("by recv with MSG_PEEK", fixtures.WatchByPeek),
		)

		DescribeTable("notices even if another request is queued, and keeps that request",
			func(by fixtures.HangUpWatch) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				server := lab.StartServer(5000, fixtures.Busy{Job: 15 * time.Second, By: by})
				client := lab.Dial(5000)
				Expect(client.Write("a long job")).To(Succeed())
				server.Await(fixtures.Working)
				Expect(client.Write("and another")).To(Succeed())

				client.Close()

				Expect(server).To(Announce(fixtures.Cancelled, Within(time.Second)))
				Expect(server.Await(fixtures.Kept).Text).To(Equal("and another"), "the server consumed nothing to find out")
				Expect(lab.Client.Received(capture.Data)).To(BeEmpty())
			},
			Entry("by poll", fixtures.WatchByPoll),
			Entry("by epoll, level-triggered", fixtures.WatchByEpollLevel),
			Entry("by epoll, edge-triggered", fixtures.WatchByEpollEdge),
		)

		DescribeTable("finishes the job if a queued request hides the hang-up",
			func(by fixtures.HangUpWatch) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				server := lab.StartServer(5000, fixtures.Busy{Job: 3 * time.Second, By: by})
				client := lab.Dial(5000)
				Expect(client.Write("a long job")).To(Succeed())
				server.Await(fixtures.Working)
				Expect(client.Write("and another")).To(Succeed())

				connection := lab.Server.TableEntry(client.Remote(), client.Local())
				client.Close()
				Expect(connection).To(EnterState(sock.CloseWait, Within(time.Second)), "the FIN has arrived")

				server.Await(fixtures.Finished)
				Expect(server.Await(fixtures.Kept).Text).To(Equal("and another"))
			},
			Entry("by select", Waits(3*time.Second), fixtures.WatchBySelect),
			Entry("by recv with MSG_PEEK", Waits(3*time.Second), fixtures.WatchByPeek),
		)
	})
})

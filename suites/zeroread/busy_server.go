package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A server that is busy with a long job when its client hangs up", Rows("Z2"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("notices without sending or consuming anything, and cancels the job",
			func(by string) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				server := lab.StartServer(5000, "busy", "-job", "15s", "-by", by)
				client := lab.Dial(5000)
				Expect(client.Write("a long job")).To(Succeed())
				server.Await("working")

				client.Close()

				Expect(server).To(Announce("cancelled", Within(time.Second)))
				Expect(lab.Client.Received(capture.Data)).To(BeEmpty(), "nothing was sent to find out")
			},
			Entry("by select", "select"),
			Entry("by poll", "poll"),
			Entry("by epoll, level-triggered", "epoll-level"),
			Entry("by epoll, edge-triggered", "epoll-edge"),
			Entry("by recv with MSG_PEEK", "peek"),
		)

		DescribeTable("notices although another request is queued, and keeps that request",
			func(by string) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				server := lab.StartServer(5000, "busy", "-job", "15s", "-by", by)
				client := lab.Dial(5000)
				Expect(client.Write("a long job")).To(Succeed())
				server.Await("working")
				Expect(client.Write("and another")).To(Succeed())

				client.Close()

				Expect(server).To(Announce("cancelled", Within(time.Second)))
				Expect(server.Await("kept").Text).To(Equal("and another"), "nothing was consumed to find out")
				Expect(lab.Client.Received(capture.Data)).To(BeEmpty())
			},
			Entry("by poll", "poll"),
			Entry("by epoll, level-triggered", "epoll-level"),
			Entry("by epoll, edge-triggered", "epoll-edge"),
		)

		DescribeTable("works on to the end where a queued request hides the hang-up",
			func(by string) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				server := lab.StartServer(5000, "busy", "-job", "3s", "-by", by)
				client := lab.Dial(5000)
				Expect(client.Write("a long job")).To(Succeed())
				server.Await("working")
				Expect(client.Write("and another")).To(Succeed())

				connection := lab.Server.TableEntry(client.Remote(), client.Local())
				client.Close()
				Expect(connection).To(EnterState(sock.CloseWait, Within(time.Second)), "the hang-up is there")

				server.Await("finished")
				Expect(server.Await("kept").Text).To(Equal("and another"))
			},
			Entry("by select", Waits(3*time.Second), "select"),
			Entry("by recv with MSG_PEEK", Waits(3*time.Second), "peek"),
		)
	})
})

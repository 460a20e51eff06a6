// Package backlog contains the specs of backlog saturation: accept queues, SYN queues, zero
// windows and readers that do not read: rows B1 to B9 of the catalogue.
package backlog

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// repeatsItsSYN expects a client to send its SYN again after the first one got no answer.
func repeatsItsSYN(c *harness.Conn, client *harness.Host) {
	GinkgoHelper()
	syns := client.SentBy(c, capture.SYN)
	Expect(syns).NotTo(BeEmpty())
	again := During(oracle.Around(oracle.SYNs(0, 1)[1]), syns[0].At)
	Expect(client).To(HaveSent(2, capture.All(capture.SYN, capture.From(c.Local())), again))
}

var _ = Describe("A server that does not accept", Rows("B1"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("holds as many clients as its backlog and one more",
			func(backlog int) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				listener := lab.Server.Listen(5000, backlog)

				lab.Apply(scenarios.AcceptQueueFull{Listener: listener, Backlog: backlog})
				one := lab.Client.NewSocket("one more client")
				Expect(one.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))

				Expect(one).To(StayIn(sock.SynSent, 1500*time.Millisecond))
				repeatsItsSYN(one, lab.Client)
			},
			Entry("listen(0) holds 1", Waits(1500*time.Millisecond), 0),
			Entry("listen(2) holds 3", Waits(1500*time.Millisecond), 2),
		)

		It("lets a client in that hangs in SYN-SENT, when it accepts", Waits(2*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			listener := lab.Server.Listen(5000, 1)
			saturation := scenarios.AcceptQueueFull{Listener: listener, Backlog: 1}
			lab.Apply(saturation)
			late := lab.Client.NewSocket("late client")
			Expect(late.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
			Expect(late).To(StayIn(sock.SynSent, 500*time.Millisecond))

			lab.Heal(saturation)

			Expect(late).To(EnterState(sock.Established, Within(2*time.Second)))
		})

		It("leaves the clients in its queue believing that they are served: they can send", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			listener := lab.Server.Listen(5000, 2)
			client := lab.Dial(5000)

			Expect(client).To(BeInState(sock.Established))
			Expect(client.Write("is anybody there?")).To(Succeed())
			Eventually(func() int { return client.Entry().Queues.Sent }).WithTimeout(time.Second).Should(BeZero(), "all data is acknowledged")
			Expect(listener.Accept("server").Read()).To(Equal("is anybody there?"))
		})

		It("silently caps its backlog at somaxconn", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			lab.Server.Sysctl("core/somaxconn", 3)

			lab.Server.Listen(5000, 1000)

			Expect(lab.Server.Sockets()[0].State).To(Equal(sock.Listening))
			Expect(lab.Server.Sockets()[0].Queues.Sent).To(Equal(3), "a listener's Send-Q is its backlog")
		})
	})
})

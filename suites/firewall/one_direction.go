package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A flow on which only the server sends, because the client has lost power", Rows("F5"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("stays known if the server's packets restart the firewall's idle timer, and is forgotten if only the client's do",
			func(timeout time.Duration, refreshedBy scenarios.Direction, knownAfterwards bool) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.SilentDrop, RefreshedBy: refreshedBy})
				client, server := lab.Connect(5000)
				from, to := client.Local(), client.Remote()
				quiet := server.QuietSince()

				lab.Apply(scenarios.PowerOff{Host: lab.Client})
				time.Sleep(time.Until(quiet.Add(timeout / 2)))
				Expect(server.Write("anyone?")).To(Succeed(), "it is retransmitted and never acknowledged")

				time.Sleep(time.Until(quiet.Add(timeout - margin)))
				Expect(server.Entry().Queues.Sent).To(Equal(len("anyone?")), "unacknowledged bytes")
				Expect(lab.Knows(from, to)).To(BeTrue(), "just before the timeout")
				time.Sleep(time.Until(quiet.Add(oracle.Around(timeout).Latest)))
				Expect(lab.Knows(from, to)).To(Equal(knownAfterwards), "just after the timeout")
			},
			Entry("forgotten after 3 s, although the server retransmits", Waits(idleTimeout), idleTimeout, scenarios.TowardsServer, false),
			Entry("known after 3 s, if both directions restart it", Waits(idleTimeout), idleTimeout, scenarios.BothWays, true),
			Entry("forgotten after 350 s, although the server retransmits", Waits(400*time.Second), 350*time.Second, scenarios.TowardsServer, false),
			Entry("known after 350 s, if both directions restart it", Waits(400*time.Second), 350*time.Second, scenarios.BothWays, true),
		)
	})
})

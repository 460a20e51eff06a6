package keepalive

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Keepalive through a firewall with an idle timeout of 3 s", Rows("K10"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("keeps the firewall's entry if one side has switched it on",
			func(side func(client, server *harness.Conn) *harness.Conn) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: 3 * time.Second, Then: firewall.ResetSender})
				client, server := lab.Connect(5000)
				side(client, server).Keepalive(oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5})

				Expect(client).To(StayAlive(8 * time.Second))
				Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue(), "the firewall still has the entry")

				Say(client, server, "still here")
				Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
			},
			Entry("the client", Waits(8*time.Second), func(client, _ *harness.Conn) *harness.Conn { return client }),
			Entry("the server", Waits(8*time.Second), func(_, server *harness.Conn) *harness.Conn { return server }),
		)
	})
})

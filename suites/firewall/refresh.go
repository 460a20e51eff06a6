package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Keepalive against a firewall's idle timeout of 3 s", Rows("F4"), func() {
	EachFamily(func(family sock.Family) {
		It("keeps the flow when its idle time is just below the timeout", Waits(9*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: idleTimeout, Then: firewall.ResetSender})
			client, server := lab.Connect(5000)
			client.Keepalive(oracle.Keepalive{Idle: 2 * time.Second, Interval: time.Second, Count: 3})

			Expect(client).To(StayAlive(9 * time.Second))
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue(), "the firewall still has the entry")
			Expect(client.Write("still here")).To(Succeed())
			Expect(server.Read()).To(Equal("still here"))
		})

		DescribeTable("meets a firewall that has forgotten the flow when its idle time is not below it",
			func(idle time.Duration) {
				k := oracle.Keepalive{Idle: idle, Interval: time.Second, Count: 3}
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: idleTimeout, Then: firewall.ResetSender})
				client, server := lab.Connect(5000)
				client.Keepalive(k)
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ECONNRESET, During(oracle.Around(k.Probes()[0]), quiet)), "the first probe is answered with RST")
				Expect(server).To(BeInState(sock.Established))
			},
			// The kernel's timer wheel makes the probe late, never early: at equal
			// values the firewall's timer fires first.
			Entry("equal: 3 s", Waits(3*time.Second), 3*time.Second),
			Entry("just above: 4 s", Waits(4*time.Second), 4*time.Second),
		)
	})
})

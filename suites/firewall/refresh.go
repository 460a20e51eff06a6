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

var _ = Describe("Keepalive and a firewall's idle timeout", Rows("F4"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("keeps the flow if its probes come before the timeout",
			func(k oracle.Keepalive, timeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.ResetSender})
				client, server := lab.Connect(5000)
				client.Keepalive(k)

				Expect(client).To(StayAlive(timeout + margin))
				Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue(), "the firewall still has the entry")
				Say(client, server, "still here")
			},
			Entry("idle 2 s, timeout 3 s", Waits(idleTimeout+margin),
				oracle.Keepalive{Idle: 2 * time.Second, Interval: time.Second, Count: 3}, idleTimeout),
			// The timer wheel may delay a probe by an eighth: 311 s is the longest idle time
			// whose probe is certain to come in time.
			Entry("idle 311 s, timeout 350 s", Waits(350*time.Second),
				oracle.Keepalive{Idle: 311 * time.Second, Interval: 30 * time.Second, Count: 10}, 350*time.Second),
			Entry("idle 600 s, timeout 3600 s", Waits(time.Hour),
				oracle.Keepalive{Idle: 600 * time.Second, Interval: 30 * time.Second, Count: 10}, time.Hour),
			Entry("Linux's defaults: idle 7200 s, timeout 432000 s", Waits(432000*time.Second),
				oracle.Default(), 432000*time.Second),
		)

		DescribeTable("meets a firewall that has forgotten the flow if its idle time is not below the timeout",
			func(k oracle.Keepalive, timeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.ResetSender})
				client, server := lab.Connect(5000)
				client.Keepalive(k)
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ECONNRESET, During(oracle.Around(k.Probes()[0]), quiet)), "the first probe is answered with RST")
				Expect(server).To(BeInState(sock.Established))
			},
			// The timer wheel makes a probe late and never early: with equal values the
			// firewall's timer expires first.
			Entry("equal: 3 s", Waits(3*time.Second),
				oracle.Keepalive{Idle: idleTimeout, Interval: time.Second, Count: 3}, idleTimeout),
			Entry("just above: 4 s, timeout 3 s", Waits(4*time.Second),
				oracle.Keepalive{Idle: 4 * time.Second, Interval: time.Second, Count: 3}, idleTimeout),
			Entry("equal: 350 s", Waits(350*time.Second),
				oracle.Keepalive{Idle: 350 * time.Second, Interval: 30 * time.Second, Count: 10}, 350*time.Second),
			Entry("600 s, timeout 350 s", Waits(600*time.Second),
				oracle.Keepalive{Idle: 600 * time.Second, Interval: 30 * time.Second, Count: 10}, 350*time.Second),
			Entry("the kernel's default, 7200 s, timeout 3600 s", Waits(2*time.Hour), oracle.Default(), time.Hour),
		)
	})
})

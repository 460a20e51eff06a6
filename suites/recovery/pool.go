package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A pool of connections behind a firewall that forgets", Rows("R5"), func() {
	EachFamily(func(family sock.Family) {
		const size = 3
		dead := []int{4, 5, 6} // the requests for which a dead connection is taken

		DescribeTable("loses a request with each dead connection",
			func(p fixtures.Pool, timeout time.Duration, then firewall.AfterExpiry, reason string, costs func(rto time.Duration) oracle.Window) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: then})
				lab.StartServer(port, fixtures.Responder{})
				p.Size, p.Pause = size, timeout+time.Second
				pool := lab.StartClient(port, p)
				time.Sleep(timeout / 2)
				Expect(numbers(pool, fixtures.Answered)).To(Equal([]int{1, 2, 3}), "each connection works")
				rto := lab.Client.Sockets()[0].RTO

				Expect(pool).To(Announce(fixtures.Unanswered, Within(timeout+2*time.Second+costs(rto).Latest)))
				time.Sleep(size * (p.Interval + costs(rto).Latest))
				lost := all(pool, fixtures.Unanswered)
				Expect(numbers(pool, fixtures.Unanswered)).To(Equal(dead))
				for _, request := range lost {
					Expect(request.Text).To(Equal(reason))
					Expect(costs(rto).Contains(request.For)).To(BeTrue(), "it took %v, expected %v", request.For, costs(rto))
				}
				Expect(first(4, pool, fixtures.Answered)).To(Equal([]int{1, 2, 3, 7}), "on a new connection")
			},
			Entry("at once, if the firewall answers with RST", Waits(7*time.Second),
				fixtures.Pool{Interval: 500 * time.Millisecond}, 3*time.Second, firewall.ResetSender, "ECONNRESET", immediately),
			Entry("after TCP_USER_TIMEOUT, if it is silent", Waits(13*time.Second),
				fixtures.Pool{Interval: 500 * time.Millisecond, Detect: oracle.Keepalive{UserTimeout: time.Second}}, 3*time.Second, firewall.SilentDrop, "ETIMEDOUT",
				func(rto time.Duration) oracle.Window { return oracle.UserTimeout(time.Second, rto) }),
			Entry("after all retransmissions, if it is silent and there is no time-out: a quarter of an hour each", Waits(75*time.Minute),
				fixtures.Pool{Interval: time.Second}, 350*time.Second, firewall.SilentDrop, "ETIMEDOUT",
				func(rto time.Duration) oracle.Window { return oracle.GiveUp(oracle.Retries2, rto) }),
		)

		// A pool without the cure, in the same lab, shows that the firewall forgets.
		DescribeTable("loses none, beside a pool that does, with",
			func(cure fixtures.Pool, timeout time.Duration, then firewall.AfterExpiry, discarded []string) {
				careless := fixtures.Pool{Size: size, Pause: timeout + time.Second, Interval: 500 * time.Millisecond, RequestTimeout: time.Second}
				cure.Size, cure.Pause, cure.Interval, cure.RequestTimeout = careless.Size, careless.Pause, careless.Interval, careless.RequestTimeout
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: then})
				lab.StartServer(port, fixtures.Responder{})
				without, with := lab.StartClient(port, careless), lab.StartClient(port, cure)

				time.Sleep(timeout + time.Second + size*(careless.Interval+careless.RequestTimeout) + time.Second)
				Expect(numbers(without, fixtures.Unanswered)).To(Equal(dead))

				Expect(all(with, fixtures.Unanswered)).To(BeEmpty())
				Expect(first(6, with, fixtures.Answered)).To(Equal([]int{1, 2, 3, 4, 5, 6}))
				var reasons []string
				for _, e := range all(with, fixtures.Discarded) {
					reasons = append(reasons, e.Text)
				}
				Expect(reasons).To(Equal(discarded))
			},
			Entry("validation before use, which meets the RST", Waits(10*time.Second),
				fixtures.Pool{Validate: 500 * time.Millisecond}, 3*time.Second, firewall.ResetSender, []string{"ECONNRESET", "ECONNRESET", "ECONNRESET"}),
			Entry("validation before use, whose own time-out ends the silence", Waits(10*time.Second),
				fixtures.Pool{Validate: 500 * time.Millisecond}, 3*time.Second, firewall.SilentDrop, []string{fixtures.Overdue, fixtures.Overdue, fixtures.Overdue}),
			Entry("a maximal idle time below the firewall's", Waits(10*time.Second),
				fixtures.Pool{MaxIdle: 2 * time.Second}, 3*time.Second, firewall.SilentDrop, []string{"idle", "idle", "idle"}),
			Entry("keepalive below the firewall's idle timeout", Waits(10*time.Second),
				fixtures.Pool{Detect: oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5}}, 3*time.Second, firewall.SilentDrop, nil),
			Entry("keepalive of 300 s behind a firewall of 350 s", Waits(7*time.Minute),
				fixtures.Pool{Detect: oracle.Keepalive{Idle: 5 * time.Minute, Interval: 10 * time.Second, Count: 5}}, 350*time.Second, firewall.ResetSender, nil),
		)
	})
})

// immediately is the cost of a request that is reset.
func immediately(time.Duration) oracle.Window { return oracle.Window{Latest: time.Second} }

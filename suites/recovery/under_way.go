package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A request under way when the path dies", Rows("R6"), func() {
	EachFamily(func(family sock.Family) {
		// ends lets the client's second request get lost, and expects the end of its connection
		// within a window of the request, and for a reason.
		ends := func(client fixtures.Requester, retries2 int, reason string, window func(rto time.Duration) oracle.Window) {
			GinkgoHelper()
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries2)
			lab.StartServer(port, fixtures.Responder{})
			requester := lab.StartClient(port, client)
			requester.Await(fixtures.Answered)
			rto := established(lab.Client).RTO

			lab.Apply(scenarios.SilentDrop{})
			requests := capture.All(capture.Data, capture.Original)
			Expect(lab.Client).To(HaveSent(2, requests, Within(2*time.Second)))
			sent := lab.Client.Sent(requests)[1].At

			Expect(requester).To(Announce(fixtures.Lost, During(window(rto), sent)))
			Expect(requester.Await(fixtures.Lost).Text).To(Equal(reason))
			Expect(numbers(requester, fixtures.Unanswered)).To(Equal([]int{2}))
		}
		always := func(w oracle.Window) func(time.Duration) oracle.Window {
			return func(time.Duration) oracle.Window { return w }
		}

		DescribeTable("is ended by the program's own time-out if that is the shortest",
			func(own, userTimeout time.Duration) {
				ends(fixtures.Requester{RequestTimeout: own, Detect: oracle.Keepalive{UserTimeout: userTimeout}}, oracle.Retries2,
					fixtures.Overdue, always(oracle.Around(own)))
			},
			Entry("1.5 s, beside a user timeout of 3 s", Waits(3*time.Second), 1500*time.Millisecond, 3*time.Second),
			Entry("30 s, beside a user timeout of 60 s", Waits(35*time.Second), 30*time.Second, time.Minute),
		)

		DescribeTable("is ended by TCP_USER_TIMEOUT if that is the shortest",
			func(own, userTimeout time.Duration) {
				ends(fixtures.Requester{RequestTimeout: own, Detect: oracle.Keepalive{UserTimeout: userTimeout}}, oracle.Retries2,
					"ETIMEDOUT", func(rto time.Duration) oracle.Window { return oracle.UserTimeout(userTimeout, rto) })
			},
			Entry("2 s, beside a time-out of 5 s", Waits(4*time.Second), 5*time.Second, 2*time.Second),
			Entry("30 s, beside a time-out of two minutes", Waits(35*time.Second), 2*time.Minute, 30*time.Second),
		)

		DescribeTable("is ended by retransmission if the program sets neither",
			func(retries2 int) {
				ends(fixtures.Requester{}, retries2,
					"ETIMEDOUT", func(rto time.Duration) oracle.Window { return oracle.GiveUp(retries2, rto) })
			},
			Entry("tcp_retries2 = 2", Waits(4*time.Second), 2),
			Entry("tcp_retries2 = 15, the kernel's default: a quarter of an hour", Waits(17*time.Minute), oracle.Retries2),
		)
	})
})

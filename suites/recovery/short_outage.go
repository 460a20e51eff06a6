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

var _ = Describe("An outage that ends before anybody has noticed", Rows("R2"), func() {
	EachFamily(func(family sock.Family) {
		// interrupted drops packets while the client's second request is under way.
		interrupted := func(client fixtures.Requester, drop scenarios.SilentDrop) (lab *harness.Lab, requester, responder *harness.Program) {
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			responder = lab.StartServer(port, fixtures.Responder{})
			requester = lab.StartClient(port, client)
			requester.Await(fixtures.Answered)
			lab.Apply(drop)
			Expect(lab.Client).To(HaveSent(2, capture.All(capture.Data, capture.Original), Within(2*time.Second)))
			return lab, requester, responder
		}

		DescribeTable("leaves the connection as it is: the request is answered late, and done once",
			func(direction scenarios.Direction, outage time.Duration) {
				drop := scenarios.SilentDrop{Direction: direction}
				lab, client, server := interrupted(fixtures.Requester{}, drop)
				time.Sleep(outage)
				healed := time.Now()
				lab.Heal(drop)

				// The interval of retransmission doubles, so the next one comes before as much
				// time again has passed as since the request (RFC 6298 §5.5).
				late := oracle.Around(outage + oracle.Tolerance(outage) + time.Second).Latest
				answer := func() bool { return len(all(client, fixtures.Answered)) >= 2 }
				Expect(answer()).To(BeFalse())
				Eventually(answer).WithTimeout(late).WithPolling(10 * time.Millisecond).Should(BeTrue())
				second := all(client, fixtures.Answered)[1]
				Expect(second.N).To(Equal(2))
				Expect(second.For).To(BeNumerically(">=", outage))
				Expect(second.At).To(Happen(During(oracle.Window{Latest: late}, healed)))

				Expect(client).To(GoWithout(fixtures.Lost, 2*time.Second))
				Expect(first(2, server, fixtures.Done)).To(Equal([]int{1, 2}))
				Expect(all(server, fixtures.Doubled)).To(BeEmpty(), "a retransmission is no request")
				Expect(lab.Client.Sent(capture.SYN)).To(HaveLen(1))
			},
			Entry("the request is lost for 2 s", Waits(7*time.Second), scenarios.TowardsServer, 2*time.Second),
			Entry("the answer is lost for 2 s", Waits(7*time.Second), scenarios.TowardsClient, 2*time.Second),
			Entry("the request is lost for ten minutes", Waits(25*time.Minute), scenarios.TowardsServer, 10*time.Minute),
		)

		const patience = time.Second
		reconnect := oracle.Reconnection{Backoff: 500 * time.Millisecond, MaxBackoff: time.Second}
		// loseAnswer lets the answer to the second request get lost until the client has lost
		// its patience.
		loseAnswer := func(repeat bool) (client, server *harness.Program) {
			drop := scenarios.SilentDrop{Direction: scenarios.TowardsClient}
			lab, client, server := interrupted(fixtures.Requester{RequestTimeout: patience, Reconnect: reconnect, Repeat: repeat}, drop)
			Expect(client).To(Announce(fixtures.Unanswered, During(oracle.Around(patience), lab.Client.Sent(capture.All(capture.Data, capture.Original))[1].At)))
			Expect(client.Await(fixtures.Unanswered).N).To(Equal(2))
			lab.Heal(drop)
			Expect(client).To(Announce(fixtures.Reconnected, Within(5*time.Second)))
			nextAfter(client, fixtures.Answered, client.Await(fixtures.Reconnected).At, time.Second)
			return client, server
		}

		It("makes a program that is less patient, and repeats its request, have it done twice: only the answer was lost", Waits(6*time.Second), func() {
			client, server := loseAnswer(true)

			Expect(server).To(Announce(fixtures.Doubled, Within(time.Second)))
			Expect(numbers(server, fixtures.Doubled)).To(Equal([]int{2}))
			Expect(first(2, client, fixtures.Answered)).To(Equal([]int{1, 2}))
		})

		It("costs a program that is less patient, and does not repeat it, the answer of a request that was done", Waits(6*time.Second), func() {
			client, server := loseAnswer(false)

			Expect(first(3, server, fixtures.Done)).To(Equal([]int{1, 2, 3}))
			Expect(all(server, fixtures.Doubled)).To(BeEmpty())
			Expect(first(2, client, fixtures.Answered)).To(Equal([]int{1, 3}))
		})
	})
})

package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A service that restarts", Rows("R3"), func() {
	EachFamily(func(family sock.Family) {
		// refusedUntilStarted starts the service again at outage after the client has lost its
		// connection, and expects the client back with the attempt that follows.
		refusedUntilStarted := func(lab *harness.Lab, client *harness.Program, reconnect oracle.Reconnection, outage time.Duration) {
			GinkgoHelper()
			lost := client.Await(fixtures.Lost).At
			time.Sleep(time.Until(lost.Add(outage)))
			Expect(all(client, fixtures.Reconnected)).To(BeEmpty())
			lab.StartServer(port, fixtures.Responder{})

			Expect(client).To(Announce(fixtures.Reconnected, During(reconnect.Refused(outage), lost)))
			nextAfter(client, fixtures.Answered, lost, time.Second)
			refusals := all(client, fixtures.Unconnected)
			Expect(refusals).NotTo(BeEmpty())
			for _, refusal := range refusals {
				Expect(refusal.Text).To(Equal("ECONNREFUSED"))
				Expect(refusal.For).To(BeNumerically("<", time.Second), "each is refused at once")
			}
		}

		DescribeTable("is missed at once when it is killed: FIN, then refused attempts, and the client is back after its back-off",
			func(reconnect oracle.Reconnection, outage time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				server := lab.StartServer(port, fixtures.Responder{})
				client := lab.StartClient(port, fixtures.Requester{Interval: never, Reconnect: reconnect})
				client.Await(fixtures.Answered)

				lab.Apply(scenarios.ProcessKilled{Program: server})
				Expect(client).To(Announce(fixtures.Lost, Within(time.Second)))
				Expect(client.Await(fixtures.Lost).Text).To(Equal("0"), "the zero-read")

				refusedUntilStarted(lab, client, reconnect, outage)
			},
			Entry("away for 2 s, back-off of 0.5 s and more", Waits(4*time.Second), oracle.Reconnection{Backoff: 500 * time.Millisecond}, 2*time.Second),
			Entry("away for two minutes, back-off of 1 to 60 s", Waits(4*time.Minute), oracle.Reconnection{Backoff: time.Second, MaxBackoff: time.Minute}, 2*time.Minute),
		)

		It("after its host has rebooted is missed with the next request: RST, then refused attempts", Waits(6*time.Second), func() {
			const interval = 2 * time.Second
			reconnect := oracle.Reconnection{Backoff: 500 * time.Millisecond}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.StartServer(port, fixtures.Responder{})
			client := lab.StartClient(port, fixtures.Requester{Interval: interval, Reconnect: reconnect})
			asked := client.Await(peer.Connected).At

			client.Await(fixtures.Answered)
			crash := scenarios.PowerOff{Host: lab.Server}
			lab.Apply(crash)
			lab.Heal(crash)
			Expect(client).To(AnnounceErrno(fixtures.Lost, unix.ECONNRESET, During(oracle.Around(interval), asked)))
			Expect(numbers(client, fixtures.Unanswered)).To(Equal([]int{2}))

			refusedUntilStarted(lab, client, reconnect, 2*time.Second)
		})
	})
})

package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A path that dies and comes back after the client has noticed", Rows("R1"), func() {
	EachFamily(func(family sock.Family) {
		// worksAgain lets the path come back at outage after the client has lost its connection,
		// and expects the two parts that follow: back-off with connecting, and the first answer.
		worksAgain := func(lab *harness.Lab, client *harness.Program, drop scenarios.SilentDrop, reconnect oracle.Reconnection, outage time.Duration) {
			GinkgoHelper()
			lost := client.Await(fixtures.Lost).At
			window := reconnect.Silent(outage, lab.Client.LinearSYNTimeouts(), oracle.SYNRetries)
			Expect(window.Earliest).To(BeNumerically(">=", outage), "not before the path is back")

			time.Sleep(time.Until(lost.Add(outage)))
			lab.Heal(drop)

			Expect(client).To(Announce(fixtures.Reconnected, During(window, lost)))
			reconnected := client.Await(fixtures.Reconnected).At
			first := nextAfter(client, fixtures.Answered, lost, time.Second)
			Expect(first.At).To(Happen(During(oracle.Window{Latest: time.Second}, reconnected)), "the first answer takes a round trip")
			Expect(len(all(client, fixtures.Unconnected))).To(BeNumerically(">", 0), "attempts that failed meanwhile")
		}

		DescribeTable("works again after keepalive's time, the back-off and the SYN that is sent next",
			func(k oracle.Keepalive, reconnect oracle.Reconnection, outage time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.StartServer(port, fixtures.Responder{})
				client := lab.StartClient(port, fixtures.Requester{Interval: never, Detect: k, Reconnect: reconnect})
				client.Await(fixtures.Answered)

				drop := scenarios.SilentDrop{}
				lab.Apply(drop)
				Expect(client).To(AnnounceErrno(fixtures.Lost, unix.ETIMEDOUT, During(k.Death(), quietSince(lab.Client))))

				worksAgain(lab, client, drop, reconnect, outage)
				Expect(all(client, fixtures.Unanswered)).To(BeEmpty(), "nothing was under way")
			},
			Entry("idle 1 s, interval 1 s, 2 probes; back-off of 0.5 to 2 s, connect time-out 1 s; back 4.2 s after the loss", Waits(9*time.Second),
				oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2},
				oracle.Reconnection{Backoff: 500 * time.Millisecond, MaxBackoff: 2 * time.Second, Timeout: time.Second}, 4200*time.Millisecond),
			Entry("idle 600 s, interval 30 s, 10 probes; back-off of 1 to 60 s, connect time-out 10 s; back half an hour and 20 s after the loss", Waits(50*time.Minute),
				oracle.Keepalive{Idle: 10 * time.Minute, Interval: 30 * time.Second, Count: 10},
				oracle.Reconnection{Backoff: time.Second, MaxBackoff: time.Minute, Timeout: 10 * time.Second}, 30*time.Minute+20*time.Second),
			Entry("the kernel's defaults; back-off of 1 to 60 s, the kernel's connect time-out; back an hour after the loss", Waits(4*time.Hour),
				oracle.Default(), oracle.Reconnection{Backoff: time.Second, MaxBackoff: time.Minute}, time.Hour),
		)

		DescribeTable("works again after the user timeout of the request under way, the back-off and the SYN that is sent next",
			func(userTimeout time.Duration, reconnect oracle.Reconnection, outage time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.StartServer(port, fixtures.Responder{})
				client := lab.StartClient(port, fixtures.Requester{
					Interval: 2 * time.Second, Detect: oracle.Keepalive{UserTimeout: userTimeout}, Reconnect: reconnect})
				client.Await(fixtures.Answered)
				rto := established(lab.Client).RTO

				drop := scenarios.SilentDrop{}
				lab.Apply(drop)
				Expect(lab.Client).To(HaveSent(2, capture.All(capture.Data, capture.Original), Within(3*time.Second)))
				sent := lab.Client.Sent(capture.All(capture.Data, capture.Original))[1].At
				Expect(client).To(AnnounceErrno(fixtures.Lost, unix.ETIMEDOUT, During(oracle.UserTimeout(userTimeout, rto), sent)))

				worksAgain(lab, client, drop, reconnect, outage)
				Expect(numbers(client, fixtures.Unanswered)).To(Equal([]int{2}), "the request that was under way")
			},
			Entry("user timeout 2 s; back-off of 0.5 to 2 s, connect time-out 1 s; back 2.2 s after the loss", Waits(7*time.Second), 2*time.Second,
				oracle.Reconnection{Backoff: 500 * time.Millisecond, MaxBackoff: 2 * time.Second, Timeout: time.Second}, 2200*time.Millisecond),
			Entry("user timeout 30 s; back-off of 1 to 60 s, the kernel's connect time-out; back ten minutes after the loss", Waits(15*time.Minute), 30*time.Second,
				oracle.Reconnection{Backoff: time.Second, MaxBackoff: time.Minute}, 10*time.Minute),
		)
	})
})

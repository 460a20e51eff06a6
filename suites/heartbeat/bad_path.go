package heartbeat

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/link"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Heartbeats over a bad path", Rows("H9"), func() {
	EachFamily(func(family sock.Family) {
		It("cause no false alarm in a day of delay, jitter, loss and reordering, and then show a power cut in time", Needs(require.Netem), Waits(24*time.Hour+15*time.Minute), Costs(16), func() {
			const interval, timeout = 5 * time.Minute, 8 * time.Minute // together less than the kernel retransmits
			slow := fixtures.Heartbeat{Interval: interval, Timeout: timeout}
			lab := harness.New(GinkgoT(), harness.Routed, family)
			server := lab.StartServer(5000, slow)
			client := lab.StartClient(5000, slow)
			server.Await(fixtures.Accepted)

			lab.Apply(scenarios.ImpairedPath{By: link.Impairment{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond, Loss: 20, Reorder: 25}})
			time.Sleep(24 * time.Hour)

			Expect(client.Events()).To(HaveLen(1), "only connected")
			Expect(server.Events()).To(HaveLen(2), "only ready and accepted")
			fresh := len(lab.Client.Sent(capture.All(capture.Data, capture.Original)))
			Expect(fresh).To(BeNumerically(">", 24*12-2), "a heartbeat each five minutes")
			Expect(len(lab.Client.Sent(capture.All(capture.Data, capture.Retransmission)))).To(BeNumerically(">", fresh/5), "heartbeats that were lost or late")

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			time.Sleep(time.Second) // heartbeats on their way still arrive, and count
			heard := WhenLast(lab.Client.Received(capture.All(capture.Data, capture.Original)))
			// A retransmission that arrived later may have been the data that the program was
			// waiting for.
			Expect(client).To(Announce(fixtures.Silent, During(oracle.Silence(timeout, interval), heard).StartingBy(lab.LastData(lab.Client))))
		})

		// At least one heartbeat falls into each outage, and arrives with the retransmission
		// after 1.5 s at the latest. The outage is a pulled cable because plugging it in takes
		// no time; a program such as iptables takes seconds on a busy machine.
		It("cause no false alarm when the path is lost again and again for less than the timeout", Waits(16*time.Second), func() {
			const timeout, outage = 4 * time.Second, interval + 100*time.Millisecond
			patient := fixtures.Heartbeat{Interval: interval, Timeout: timeout}
			lab := harness.New(GinkgoT(), harness.Routed, family)
			server := lab.StartServer(5000, patient)
			client := lab.StartClient(5000, patient)
			server.Await(fixtures.Accepted)

			for range 3 {
				cut := scenarios.CableOut{At: scenarios.Middle}
				lab.Apply(cut)
				lost := time.Now()
				time.Sleep(outage)
				Expect(lab.Client.Received(capture.All(capture.Data, capture.After(lost)))).To(BeEmpty(), "the path is lost")
				Expect(lab.Server.Received(capture.All(capture.Data, capture.After(lost)))).To(BeEmpty(), "the path is lost")
				Expect(lab.Client.Sent(capture.All(capture.Data, capture.After(lost)))).NotTo(BeEmpty(), "heartbeats are lost")
				lab.Heal(cut)
				healed := time.Now()
				Expect(client).To(GoWithout(fixtures.Silent, timeout/2))
				Expect(server).To(GoWithout(fixtures.Silent, timeout/4))
				Expect(lab.Client.Received(capture.All(capture.Data, capture.After(healed)))).NotTo(BeEmpty(), "the path is back")
			}
			lab.Apply(scenarios.PowerOff{Host: lab.Server})

			Expect(client).To(Announce(fixtures.Silent, During(oracle.Silence(timeout, interval), lab.LastData(lab.Client))))
		})
	})
})

package heartbeat

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Heartbeats through a firewall that forgets flows idle for 3 s", Rows("H8"), func() {
	const patient = "20s" // a timeout that plays no part
	EachFamily(func(family sock.Family) {
		It("keep the flow when they come more often", Waits(9*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: 3 * time.Second, Then: firewall.ResetSender})
			lab.StartServer(5000, "heartbeat", "-interval", "2s", "-timeout", patient)
			client := lab.StartClient(5000, "heartbeat", "-interval", "2s", "-timeout", patient)

			Expect(client).To(GoWithout("failed", 8*time.Second))
			Expect(lab.Firewall.Entries()).To(HaveLen(1), "the firewall still has the entry")
		})

		It("meet a firewall that has forgotten the flow when they come less often", Waits(6*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: 3 * time.Second, Then: firewall.ResetSender})
			lab.StartServer(5000, "heartbeat", "-interval", "5s", "-timeout", patient)
			client := lab.StartClient(5000, "heartbeat", "-interval", "5s", "-timeout", patient)

			Expect(client).To(Announce("failed", Within(6*time.Second)))
			failure, _ := client.Event("failed")
			Expect(failure.Text).To(Equal("ECONNRESET"))
		})
	})
})

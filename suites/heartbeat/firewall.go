package heartbeat

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Heartbeats through a firewall that forgets flows idle for 3 s", Rows("H8"), func() {
	EachFamily(func(family sock.Family) {
		It("keep the flow if they come more often", Waits(9*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: 3 * time.Second, Then: firewall.ResetSender})
			lab.StartServer(5000, fixtures.Heartbeat{Interval: 2 * time.Second, Timeout: never})
			client := lab.StartClient(5000, fixtures.Heartbeat{Interval: 2 * time.Second, Timeout: never})

			Expect(client).To(GoWithout(fixtures.Failed, 8*time.Second))
			Expect(lab.Firewall().Entries()).To(HaveLen(1), "the firewall still has the entry")
		})

		It("meet a firewall that has forgotten the flow if they come less often", Waits(6*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: 3 * time.Second, Then: firewall.ResetSender})
			lab.StartServer(5000, fixtures.Heartbeat{Interval: 5 * time.Second, Timeout: never})
			client := lab.StartClient(5000, fixtures.Heartbeat{Interval: 5 * time.Second, Timeout: never})

			// The client's timer starts with the first heartbeat, which it sends when it is
			// connected.
			Expect(lab.Client).To(HaveSent(1, capture.Data, Within(time.Second)))
			second := During(oracle.Around(5*time.Second), client.Await(peer.Connected).At).StartingBy(lab.Client.Sent(capture.Data)[0].At)
			Expect(client).To(AnnounceErrno(fixtures.Failed, unix.ECONNRESET, second))
		})
	})
})

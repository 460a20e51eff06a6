package diameter

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
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var overSCTP = fixtures.Diameter{SCTP: true, Interval: tw, Wait: tw, Repeats: 1}

var _ = Describe("A Diameter client over SCTP, which has heartbeats of its own", Rows("H6"), Needs(fixture), Needs(require.Netem), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("closes as over TCP when the peer falls silent; SCTP tells the server later, which has no watchdog", Waits(16*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{SCTP: true})
			client := startClient(lab, overSCTP)
			Expect(client).To(GoWithout(fixtures.Silent, 2*tw+5*time.Second))
			Expect(said(client, "DWA")).To(HaveLen(2), "the server lives")

			lab.Apply(scenarios.SilentDrop{})
			heard := WhenLast(lab.Client.Received(capture.SCTP(capture.DATA)))
			probing := WhenLast(lab.Server.Sent(capture.Any(capture.SCTP(capture.DATA), capture.SCTP(capture.HEARTBEAT))))

			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(tw, tw, 1), heard)))
			settings := oracle.DefaultSCTP()
			Expect(server).To(AnnounceErrno(fixtures.Failed, unix.ETIMEDOUT, During(settings.AssociationFailure(settings.RTOMin), probing)))
		})

		It("notices a server whose process is stopped, and whose kernel acknowledges every request", Waits(2*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{SCTP: true})
			client := startClient(lab, overSCTP)

			lab.Apply(scenarios.ProcessStopped{Program: server})
			heard := WhenLast(lab.Client.Received(capture.SCTP(capture.DATA)))

			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(tw, tw, 1), heard)))
			Expect(len(lab.Client.Received(capture.SCTP(capture.SACK)))).To(BeNumerically(">=", 3), "for CER and both DWRs")
		})

		It("needs no watchdog to keep its flow in a firewall that forgets flows idle for 60 s: SCTP's heartbeats are enough", Waits(6*time.Minute), func() {
			const forgets = time.Minute
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: forgets, Then: firewall.SilentDrop})
			lab.StartServer(port, fixtures.Diameter{SCTP: true})
			client := startClient(lab, fixtures.Diameter{SCTP: true, Interval: 90 * time.Second, Wait: tw, Repeats: 1})

			Expect(client).To(GoWithout(fixtures.Silent, 5*forgets+5*time.Second))
			Expect(said(client, "DWA")).To(HaveLen(3))
			Expect(lab.Firewall().Entries()).To(ConsistOf(HaveField("State", "ESTABLISHED")))
		})
	})
})

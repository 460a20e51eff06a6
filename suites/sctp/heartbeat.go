package sctp

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("An SCTP peer that vanishes", Rows("S6"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("is noticed by the heartbeat of an idle association: the path first, then the association",
			func(settings oracle.SCTP) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, server := lab.Associate(diameterPort, func(client, listener *harness.Association) {
					detecting(settings)(client, listener)
					client.Subscribe()
				})
				measure(client, server)
				answered := lastAnswered(lab, settings)
				rto := rtoOf(client)

				lab.Apply(scenarios.SilentDrop{})

				Expect(client.Read()).To(BeNotification(sock.AssociationChange{Now: sock.CommunicationUp, Outbound: 10, Inbound: 10}))
				down := settings.PathFailure(rto)
				Expect(client.ReadWithin(time.Until(answered.Add(down.Latest)))).To(BeNotification(
					sock.AddressChange{Address: lab.Server.AddressPort(diameterPort), Now: sock.AddressUnreachable}))
				Expect(time.Since(answered)).To(BeNumerically(">=", down.Earliest))
				Expect(client.ReadWithin(time.Until(answered.Add(settings.AssociationFailure(rto).Latest)))).To(BeNotification(
					sock.AssociationChange{Now: sock.CommunicationLost}))
				Expect(client).To(FailWith(unix.ETIMEDOUT, During(settings.AssociationFailure(rto), answered)))
			},
			Entry("with the kernel's settings", Waits(900*time.Second), oracle.DefaultSCTP()),
			Entry("with all four settings tuned", Waits(10*time.Second), quick),
		)

		It("is noticed late if only the heartbeat interval is shortened", Waits(700*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			settings := oracle.DefaultSCTP()
			settings.Heartbeat = time.Second
			client, server := lab.Associate(diameterPort, detecting(oracle.SCTP{Heartbeat: settings.Heartbeat}))
			measure(client, server)
			answered := lastAnswered(lab, settings)
			window := settings.AssociationFailure(rtoOf(client))

			lab.Apply(scenarios.SilentDrop{})

			Expect(window.Earliest).To(BeNumerically(">", 100*settings.Heartbeat), "the backoff takes the time")
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(window, answered)))
		})

		It("is declared dead if only its heartbeats are dropped, and gets ABORT", Waits(10*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Associate(diameterPort, detecting(quick))
			measure(client, server)
			answered := lastAnswered(lab, quick)
			window := quick.AssociationFailure(rtoOf(client))

			lab.Apply(scenarios.HeartbeatsDropped{})

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(window, answered)))
			Expect(server).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		})

		DescribeTable("is noticed sooner with data in flight",
			func(settings oracle.SCTP) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, server := lab.Associate(diameterPort, detecting(settings))
				measure(client, server)
				rto := rtoOf(client)
				Expect(settings.InFlight(rto).Latest).To(BeNumerically("<", settings.AssociationFailure(rto).Latest))

				lab.Apply(scenarios.SilentDrop{})
				sent := time.Now()
				Expect(client.Write(0, diameter, "into the void")).To(Succeed())

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(settings.InFlight(rto), sent)))
			},
			Entry("with the kernel's settings", Waits(410*time.Second), oracle.DefaultSCTP()),
			Entry("with all four settings tuned", Waits(3*time.Second), quick),
		)
	})
})

// detecting makes the client use settings of SCTP. It leaves out the kernel's settings, which
// every host already has: leaving that step out would change nothing.
func detecting(settings oracle.SCTP) func(client, listener *harness.Association) {
	return func(client, _ *harness.Association) {
		if settings != oracle.DefaultSCTP() {
			client.Detect(settings)
		}
	}
}

// measure sends a message and waits for its acknowledgement. From then on the RTO is the
// measured one and not the initial one.
func measure(client, server *harness.Association) {
	GinkgoHelper()
	Expect(client.Write(0, diameter, "hello")).To(Succeed())
	m, err := server.Read()
	Expect(err).NotTo(HaveOccurred())
	Expect(string(m.Data)).To(Equal("hello"))
	Eventually(func() (int, error) { s, err := client.Socket.Status(); return s.Unacknowledged, err }).
		WithTimeout(time.Second).WithPolling(time.Millisecond).Should(BeZero())
}

// lastAnswered waits until a HEARTBEAT of the client is answered, and returns when it was
// sent.
func lastAnswered(lab *harness.Lab, settings oracle.SCTP) time.Time {
	GinkgoHelper()
	until := time.Now().Add(2*settings.Heartbeat + 2*settings.RTOInitial)
	Expect(lab.Client.AwaitReceived(1, capture.SCTP(capture.HEARTBEATACK), until)).To(HaveLen(1))
	sent := lab.Client.Sent(capture.SCTP(capture.HEARTBEAT))
	Expect(sent).To(HaveLen(1))
	return sent[0].At
}

func rtoOf(a *harness.Association) time.Duration {
	GinkgoHelper()
	path, err := a.Socket.Path(a.Remote())
	Expect(err).NotTo(HaveOccurred())
	return path.RTO
}

package sctp

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

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

var _ = Describe("An SCTP association over two paths", Rows("S7"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("knows the peer by all its addresses, and a HEARTBEAT confirms the second path, which has a firewall of its own", Waits(5*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Multihomed, family)
			lab.Apply(scenarios.IdleTimeout{After: 210 * time.Second, Then: firewall.SilentDrop})
			client, server := lab.Associate(diameterPort, nil)

			Expect(client.Socket.RemoteAddresses()).To(Equal(lab.Server.AddressPorts(diameterPort)))
			Expect(server.Socket.RemoteAddresses()).To(Equal(lab.Client.AddressPorts(client.Local().Port())))
			awaitActive(client)
			awaitActive(server)
			for _, router := range lab.Firewalls() {
				Expect(router.Entries()).To(ConsistOf(HaveField("State", "ESTABLISHED")))
			}
		})

		It("begins on the second path if nobody answers on the first: the second INIT goes there", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Multihomed, family)
			listener := lab.Server.NewAssociation("listener", diameterPort)
			Expect(listener.Socket.Listen(1)).To(Succeed())
			client := lab.Client.NewAssociation("client", 0)

			lab.Apply(scenarios.SilentDrop{On: scenarios.FirstPath})
			sent := time.Now()
			Expect(client.Socket.ConnectAll(lab.Server.AddressPorts(diameterPort)...)).To(MatchError(unix.EINPROGRESS))

			second := oracle.Around(oracle.DefaultSCTP().RTOInitial)
			Expect(lab.Server).To(HaveReceived(1, capture.SCTP(capture.INIT), During(second, sent)))
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			Expect(client.AwaitConnected(ctx)).To(Succeed())
		})

		DescribeTable("loses nothing if the first path drops silently: data in flight is late by one RTO, and later data takes the other path at once",
			func(settings oracle.SCTP) {
				lab := harness.New(GinkgoT(), harness.Multihomed, family)
				client, server := lab.Associate(diameterPort, func(client, listener *harness.Association) {
					detecting(settings)(client, listener)
					client.Subscribe()
					Expect(client.Socket.SetNoDelay()).To(Succeed())
				})
				first := lab.Server.AddressPort(diameterPort)
				awaitActive(client)
				awaitActive(server)
				measure(client, server)
				rto := rtoOf(client)
				outage := scenarios.SilentDrop{On: scenarios.FirstPath}

				lab.Apply(outage)
				sent := time.Now()
				Expect(client.Write(0, diameter, "late")).To(Succeed())

				Expect(server).To(BeReadable(During(oracle.Around(rto), sent)))
				Expect(client.Write(0, diameter, "at once")).To(Succeed())
				Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"late"`, `"at once"`, "nothing"}))

				Expect(notifications(client, 2)).To(Equal([]string{
					"ASSOC_CHANGE COMM_UP", "PEER_ADDR_CHANGE ADDR_CONFIRMED " + lab.Server.AddressPorts(diameterPort)[1].Addr().String()}))
				Expect(client).To(BeReadable(During(settings.PathFailureInFlight(rto), sent)))
				Expect(client.Read()).To(BeNotification(sock.AddressChange{Address: first, Now: sock.AddressUnreachable}))

				probed := lastProbe(lab, client)
				path, err := client.Socket.Path(first)
				Expect(err).NotTo(HaveOccurred())
				lab.Heal(outage)
				Expect(client).To(BeReadable(During(settings.NextHeartbeat(path.RTO), probed)))
				Expect(client.Read()).To(BeNotification(sock.AddressChange{Address: first, Now: sock.AddressAvailable}))

				Expect(client.Write(0, diameter, "home again")).To(Succeed())
				Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"home again"`, "nothing"}))
				data := lab.Client.Sent(capture.SCTP(capture.DATA))
				Expect(data[len(data)-1].Dst).To(Equal(first), "the first path is the primary one")
			},
			Entry("with the kernel's settings", Waits(250*time.Second), oracle.DefaultSCTP()),
			Entry("with all four settings tuned", Waits(10*time.Second), quick),
		)

		DescribeTable("ends if both paths drop: ETIMEDOUT",
			func(settings oracle.SCTP) {
				lab := harness.New(GinkgoT(), harness.Multihomed, family)
				client, server := lab.Associate(diameterPort, detecting(settings))
				awaitActive(client)
				measure(client, server)
				rto := rtoOf(client)

				lab.Apply(scenarios.SilentDrop{On: scenarios.FirstPath})
				lab.Apply(scenarios.SilentDrop{On: scenarios.SecondPath})
				sent := time.Now()
				Expect(client.Write(0, diameter, "into the void")).To(Succeed())

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(settings.InFlight(rto), sent)))
			},
			Entry("with the kernel's settings", Waits(410*time.Second), oracle.DefaultSCTP()),
			Entry("with all four settings tuned", Waits(15*time.Second), patient),
		)
	})
})

// patient is quick, except that an association survives the death of one of two paths: the
// failures of a path, of data and of HEARTBEATs, count until the other path's next answer.
var patient = func() oracle.SCTP {
	s := quick
	s.AssociationRetransmissions = 5
	return s
}()

// awaitActive waits until answered HEARTBEATs have confirmed all paths, which takes up to one
// and a half initial RTOs.
func awaitActive(a *harness.Association) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		addresses, err := a.Socket.RemoteAddresses()
		g.Expect(err).NotTo(HaveOccurred())
		for _, address := range addresses {
			g.Expect(a.Socket.Path(address)).To(HaveField("State", sock.Active))
		}
	}).WithTimeout(5 * time.Second).WithPolling(10 * time.Millisecond).Should(Succeed())
}

// notifications reads a number of messages, and returns the notifications in words.
func notifications(a *harness.Association, count int) []string {
	GinkgoHelper()
	var all []string
	for range count {
		m, err := a.Read()
		Expect(err).NotTo(HaveOccurred())
		n, err := m.Notified()
		Expect(err).NotTo(HaveOccurred())
		all = append(all, n.String())
	}
	return all
}

// lastProbe returns when the client last sent a HEARTBEAT on the first path.
func lastProbe(lab *harness.Lab, client *harness.Association) time.Time {
	GinkgoHelper()
	first := lab.Client.AddressPort(client.Local().Port())
	return WhenLast(lab.Client.Sent(capture.All(capture.SCTP(capture.HEARTBEAT), capture.From(first))))
}

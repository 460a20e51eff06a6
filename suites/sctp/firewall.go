package sctp

import (
	"net/netip"
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

const (
	// linuxIdleTimeout is how long Linux remembers an idle association
	// (net/netfilter/nf_conntrack_proto_sctp.c, sctp_timeouts): far shorter than for TCP.
	linuxIdleTimeout = 210 * time.Second
	// margin is how long before and after a timeout the specs look.
	margin = 500 * time.Millisecond
)

var _ = Describe("A firewall that forgets idle SCTP associations", Rows("S8"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("never forgets an association whose heartbeats pass", Waits(time.Hour), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: linuxIdleTimeout, Then: firewall.SilentDrop})
			client, server := lab.Associate(diameterPort, nil)

			time.Sleep(time.Hour)

			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue())
			Expect(client.Write(0, diameter, "after an hour")).To(Succeed())
			Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"after an hour"`, "nothing"}))
		})

		It("drops data of a forgotten association as INVALID: without heartbeats the sender gives up, and the other end never notices", Waits(620*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: linuxIdleTimeout, Then: firewall.SilentDrop})
			client, server := lab.Associate(diameterPort, withoutHeartbeats)
			disableHeartbeats(server)
			measure(client, server)
			last := lastPacket(lab)

			time.Sleep(time.Until(last.Add(linuxIdleTimeout - margin)))
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue())
			time.Sleep(2 * margin)
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeFalse())

			rto := rtoOf(client)
			sent := time.Now()
			Expect(client.Write(0, diameter, "too late")).To(Succeed())
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.DefaultSCTP().InFlightWithoutHeartbeats(rto), sent)))
			Expect(server.State()).To(Equal(sock.SCTPEstablished))
			Expect(lab.Server.Received(capture.SCTP(capture.DATA))).To(HaveLen(1), "only the data that was sent in time")
		})

		It("knows a forgotten association again after the next HEARTBEAT", Waits(40*time.Second), func() {
			const shorterThanTheHeartbeat = 20 * time.Second
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: shorterThanTheHeartbeat, Then: firewall.SilentDrop})
			client, server := lab.Associate(diameterPort, nil)
			measure(client, server)
			last := lastPacket(lab)

			time.Sleep(time.Until(last.Add(shorterThanTheHeartbeat + margin)))
			Expect(known(lab, client)).To(BeFalse())
			lastAnswered(lab, oracle.DefaultSCTP())

			Expect(known(lab, client)).To(BeTrue())
			Expect(client.Write(0, diameter, "let through")).To(Succeed())
			Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"let through"`, "nothing"}))
		})

		It("delays data that is sent before the next HEARTBEAT: the first retransmission is lost as well, and makes the sender probe", Waits(25*time.Second), func() {
			const shorterThanTheHeartbeat = 20 * time.Second
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: shorterThanTheHeartbeat, Then: firewall.SilentDrop})
			client, server := lab.Associate(diameterPort, nil)
			measure(client, server)
			last := lastPacket(lab)

			time.Sleep(time.Until(last.Add(shorterThanTheHeartbeat + margin)))
			rto := rtoOf(client)
			sent := time.Now()
			Expect(client.Write(0, diameter, "late")).To(Succeed())

			Expect(server).To(BeReadable(During(oracle.Around(rto+2*rto), sent)))
			Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"late"`, "nothing"}))
		})
	})
})

// withoutHeartbeats switches the client's HEARTBEATs off.
func withoutHeartbeats(client, _ *harness.Association) { disableHeartbeats(client) }

func disableHeartbeats(a *harness.Association) {
	GinkgoHelper()
	Expect(a.Socket.DisableHeartbeat(netip.AddrPort{})).To(Succeed())
}

// known reports whether the firewall has an entry for the association, whichever end's packet
// made it.
func known(lab *harness.Lab, client *harness.Association) bool {
	GinkgoHelper()
	return lab.Knows(client.Local(), client.Remote()) || lab.Knows(client.Remote(), client.Local())
}

// lastPacket returns when the firewall saw the last packet of a quiet association, which is an
// acknowledgement.
func lastPacket(lab *harness.Lab) time.Time {
	GinkgoHelper()
	return WhenLast(lab.Host("firewall").Received(capture.Any(capture.SCTP(capture.SACK), capture.SCTP(capture.HEARTBEATACK))))
}

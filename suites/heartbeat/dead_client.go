package heartbeat

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

var _ = Describe("A server that closes because its client has died", Rows("H3"), func() {
	EachFamily(func(family sock.Family) {
		// closing cuts the client's power and waits until the server, which sends nothing,
		// closes.
		closing := func(orphanRetries int) (lab *harness.Lab, cut scenarios.PowerOff, ghost *harness.TableEntry, fin time.Time, giveUp oracle.Window) {
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Server.Sysctl("ipv4/tcp_orphan_retries", orphanRetries)
			server := lab.StartServer(5000, fixtures.Reaper{Timeout: timeout})
			lab.StartClient(5000, patient)
			server.Await(fixtures.Accepted)
			Expect(server).To(GoWithout(fixtures.Silent, timeout))
			syn := lab.Server.Received(capture.SYN)[0]
			ghost = lab.Server.TableEntry(syn.Dst, syn.Src)
			Expect(ghost).To(BeInState(sock.Established))
			rto := ghost.RTO()

			cut = scenarios.PowerOff{Host: lab.Client}
			lab.Apply(cut)
			heard := lab.LastData(lab.Server)
			Expect(server).To(Announce(fixtures.Silent, During(oracle.Silence(timeout, 0), heard)))
			Expect(ghost).To(EnterState(sock.FinWait1, Within(time.Second)))
			fin = lab.Server.Sent(capture.FIN)[0].At
			Expect(fin).To(BeTemporally(">=", heard.Add(timeout)), "until then the connection is half-open")
			return lab, cut, ghost, fin, oracle.GiveUp(oracle.OrphanRetries(orphanRetries), rto)
		}

		It("sends FIN, which nobody answers; its kernel gives up after tcp_orphan_retries", Waits(9*time.Second), func() {
			lab, _, ghost, fin, giveUp := closing(2)

			Expect(ghost).To(EnterState(sock.Closed, During(giveUp, fin)))
			Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
		})

		It("gets RST in answer to the next FIN when the client's host has rebooted, and the ghost is gone", Waits(6*time.Second), func() {
			lab, cut, ghost, fin, giveUp := closing(0) // the kernel's default

			// Wait for the second FIN: the first one may still be on its way when the path is
			// back.
			Expect(lab.Server).To(HaveSent(2, capture.FIN, Within(2*time.Second)))
			lab.Heal(cut)

			Expect(lab.Server).To(HaveReceived(1, capture.RST, Within(4*time.Second)))
			Expect(lab.Server.Received(capture.RST)[0].At).To(BeTemporally("<", fin.Add(giveUp.Earliest)), "before the kernel would have given up")
			Expect(ghost).To(EnterState(sock.Closed, Within(time.Second)))
			fins := lab.Server.Sent(capture.FIN)
			Expect(fins[len(fins)-1].Role).To(Equal(capture.Retransmitted))
		})
	})
})

package heartbeat

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

var _ = Describe("Heartbeats both ways over a path that drops one direction", Rows("H7"), func() {
	EachFamily(func(family sock.Family) {
		// With the same timeout on both sides it is chance who is first: see below.
		DescribeTable("who hears nothing takes the other for dead; its RST goes the way that works, and tells the other at once",
			func(lost scenarios.Direction) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				var deaf, heard *harness.Program
				host := lab.Server
				if lost == scenarios.TowardsServer {
					deaf = lab.StartServer(5000, beats)
					heard = lab.StartClient(5000, patient)
				} else {
					host = lab.Client
					heard = lab.StartServer(5000, patient)
					deaf = lab.StartClient(5000, beats)
				}
				Expect(deaf).To(GoWithout(fixtures.Silent, 2*timeout))

				lab.Apply(scenarios.SilentDrop{Direction: lost})

				Expect(deaf).To(Announce(fixtures.Silent, unheard(lab, host)))
				silent := deaf.Await(fixtures.Silent).At
				Expect(heard).To(AnnounceErrno(fixtures.Failed, unix.ECONNRESET, During(oracle.Window{Latest: time.Second}, silent)))
			},
			Entry("towards the server", Waits(7*time.Second), scenarios.TowardsServer),
			Entry("towards the client", Waits(7*time.Second), scenarios.TowardsClient),
		)

		// Without acknowledgements the congestion window is one segment
		// (net/ipv4/tcp_input.c, tcp_enter_loss; RFC 5681 §3.1), and that one is sent
		// again and again.
		DescribeTable("who is not heard soon hears nothing new either, as nobody acknowledges; its RST is lost, and the other one believes in the connection until its own retransmissions are given up",
			func(lost scenarios.Direction) {
				const retries = 5
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				var speaker, believer *harness.Program
				speaking, deaf := lab.Client, lab.Server
				if lost == scenarios.TowardsServer {
					lab.Server.Sysctl("ipv4/tcp_retries2", retries)
					believer = lab.StartServer(5000, patient)
					speaker = lab.StartClient(5000, beats)
				} else {
					speaking, deaf = lab.Server, lab.Client
					lab.Client.Sysctl("ipv4/tcp_retries2", retries)
					speaker = lab.StartServer(5000, beats)
					believer = lab.StartClient(5000, patient)
				}
				syn := lab.Client.Sent(capture.SYN)[0]
				belief := lab.Client.TableEntry(syn.Src, syn.Dst)
				if deaf == lab.Server {
					belief = lab.Server.TableEntry(syn.Dst, syn.Src)
				}
				Expect(speaker).To(GoWithout(fixtures.Silent, 2*timeout))

				// Both before the fault: it may take iptables seconds to say that it is done.
				rto, intact := belief.RTO(), time.Now()
				lab.Apply(scenarios.SilentDrop{Direction: lost})

				Expect(speaker).To(Announce(fixtures.Silent, Within(3*timeout)))
				// What comes for the second time was heard already: not LastData.
				heard := WhenLast(speaking.Received(capture.All(capture.Data, capture.Original)))
				Expect(speaker).To(Announce(fixtures.Silent, During(oracle.Silence(timeout, interval), heard)))
				Expect(speaking.Received(capture.All(capture.Data, capture.Retransmission, capture.After(intact)))).NotTo(BeEmpty(), "all that still comes")
				Expect(speaking).To(HaveSent(1, capture.RST, Within(time.Second)))
				Expect(deaf.Received(capture.RST)).To(BeEmpty())
				Expect(belief).To(BeInState(sock.Established), "half-open")

				Expect(believer).To(AnnounceErrno(fixtures.Failed, unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), unacknowledged(deaf))))
			},
			Entry("towards the server", Waits(19*time.Second), scenarios.TowardsServer),
			Entry("towards the client", Waits(19*time.Second), scenarios.TowardsClient),
		)
	})
})

// unacknowledged is when a host first sent the data beyond the last acknowledgement that
// has arrived at it.
func unacknowledged(at *harness.Host) time.Time {
	GinkgoHelper()
	acknowledgements := at.Received(capture.ACK)
	last := acknowledgements[len(acknowledgements)-1].Ack
	for _, p := range at.Sent(capture.All(capture.Data, capture.Original)) {
		if p.Seq == last {
			return p.At
		}
	}
	Fail("all data of " + at.Name() + " has been acknowledged")
	return time.Time{}
}

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

var _ = Describe("Heartbeats in both directions over a path that drops one direction", Rows("H7"), func() {
	EachFamily(func(family sock.Family) {
		// Only one side watches for silence: with the same timeout on both sides it would be
		// chance which of them is first (see the next table).
		DescribeTable("the side that hears nothing declares the other dead; its RST arrives, and tells the other side at once",
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

		// Without acknowledgements the congestion window is one segment, and the kernel sends
		// that segment again and again (net/ipv4/tcp_input.c, tcp_enter_loss; RFC 5681 §3.1).
		DescribeTable("the side that is not heard soon hears nothing new either, because its acknowledgements are lost; so is its RST, and the other side keeps the connection until its own retransmissions are given up",
			func(lost scenarios.Direction) {
				const retries = 5
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				var speaker, other *harness.Program
				speaking, deaf := lab.Client, lab.Server
				if lost == scenarios.TowardsServer {
					lab.Server.Sysctl("ipv4/tcp_retries2", retries)
					other = lab.StartServer(5000, patient)
					speaker = lab.StartClient(5000, beats)
				} else {
					speaking, deaf = lab.Server, lab.Client
					lab.Client.Sysctl("ipv4/tcp_retries2", retries)
					speaker = lab.StartServer(5000, beats)
					other = lab.StartClient(5000, patient)
				}
				syn := lab.Client.Sent(capture.SYN)[0]
				halfOpen := lab.Client.TableEntry(syn.Src, syn.Dst)
				if deaf == lab.Server {
					halfOpen = lab.Server.TableEntry(syn.Dst, syn.Src)
				}
				Expect(speaker).To(GoWithout(fixtures.Silent, 2*timeout))

				// Take both before the fault: iptables may take seconds to return.
				rto, intact := halfOpen.RTO(), time.Now()
				lab.Apply(scenarios.SilentDrop{Direction: lost})

				Expect(speaker).To(Announce(fixtures.Silent, Within(3*timeout)))
				// Not LastData: the program has read a retransmission already.
				heard := WhenLast(speaking.Received(capture.All(capture.Data, capture.Original)))
				Expect(speaker).To(Announce(fixtures.Silent, During(oracle.Silence(timeout, interval), heard)))
				Expect(speaking.Received(capture.All(capture.Data, capture.Retransmission, capture.After(intact)))).NotTo(BeEmpty(), "only retransmissions still arrive")
				Expect(speaking).To(HaveSent(1, capture.RST, Within(time.Second)))
				Expect(deaf.Received(capture.RST)).To(BeEmpty())
				Expect(halfOpen).To(BeInState(sock.Established), "half-open")

				Expect(other).To(AnnounceErrno(fixtures.Failed, unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), unacknowledged(deaf))))
			},
			Entry("towards the server", Waits(19*time.Second), scenarios.TowardsServer),
			Entry("towards the client", Waits(19*time.Second), scenarios.TowardsClient),
		)
	})
})

// unacknowledged returns when a host first sent the data that follows the last
// acknowledgement that has arrived.
func unacknowledged(at *harness.Host) time.Time {
	GinkgoHelper()
	acknowledgements := at.Received(capture.ACK)
	last := acknowledgements[len(acknowledgements)-1].Ack
	for _, p := range at.Sent(capture.All(capture.Data, capture.Original)) {
		if p.Seq == last {
			return p.At
		}
	}
	Fail("all data of the " + at.Name() + " has been acknowledged")
	return time.Time{}
}

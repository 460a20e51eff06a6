package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A download that goes on after the client has shut down its sending side", Rows("F8"), func() {
	EachFamily(func(family sock.Family) {
		It("meets the firewall's timer for CLOSE_WAIT (60 s) and not that for established flows (five days): after a pause of 59 s the file arrives, after 61 s it does not", Waits(61*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: 432000 * time.Second, Then: firewall.ResetSender})
			download := func(port uint16) (client, server *harness.Conn) {
				client, server = lab.Connect(port)
				Say(client, server, "send me the file")
				client.CloseWrite()
				Expect(server).To(EnterState(sock.CloseWait, Within(time.Second)))
				return client, server
			}
			client, server := download(5000)
			waiting, late := download(5001)

			time.Sleep(time.Until(server.QuietSince().Add(59 * time.Second)))
			Say(server, client, "the file")

			time.Sleep(time.Until(late.QuietSince().Add(61 * time.Second)))
			Expect(late.Write("the file")).To(Succeed())
			Expect(lab.Server).To(HaveReceived(1, capture.RST, Within(time.Second)), "from the firewall")
			Expect(late.Write("the rest of it")).To(MatchError(unix.EPIPE))
			Expect(waiting).To(BeInState(sock.FinWait2), "half-open: the client waits for the file")
			Expect(lab.Client.Received(capture.Data)).To(HaveLen(1), "only the first file")
		})
	})
})

var _ = Describe("Unacknowledged data", Rows("F8"), func() {
	EachFamily(func(family sock.Family) {
		It("shortens the firewall's timer for the flow from five days to 300 s", Waits(10*time.Minute), func() {
			const unacknowledged = 300 * time.Second // net/netfilter/nf_conntrack_proto_tcp.c, TCP_CONNTRACK_RETRANS and UNACK
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: 432000 * time.Second, Then: firewall.SilentDrop})
			client, _ := lab.Connect(5000)
			client.UserTimeout(time.Minute)
			rto := client.RTO()
			from, to := client.Local(), client.Remote()

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client.Write("anyone?")).To(Succeed())
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.UserTimeout(time.Minute, rto), client.LastSent())))
			last := WhenLast(lab.Client.Sent(capture.Data))

			time.Sleep(time.Until(last.Add(unacknowledged - time.Second)))
			Expect(lab.Knows(from, to)).To(BeTrue())
			time.Sleep(time.Until(last.Add(unacknowledged + time.Second)))
			Expect(lab.Knows(from, to)).To(BeFalse())
		})
	})
})

// The timeouts are those of net/netfilter/nf_conntrack_proto_tcp.c, tcp_timeouts.
var _ = Describe("A flow that is being closed", Rows("F8"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("is forgotten after seconds or minutes and not after five days",
			func(closed func(lab *harness.Lab, client, server *harness.Conn), state string, timeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: 432000 * time.Second, Then: firewall.SilentDrop})
				client, server := lab.Connect(5000)
				from, to := client.Local(), client.Remote()

				closed(lab, client, server)

				Expect(lab.Firewall().Entries()).To(ConsistOf(HaveField("State", state)))
				last := WhenLast(lab.Host("firewall").Received(capture.Any(capture.ACK, capture.RST)))
				time.Sleep(time.Until(last.Add(timeout - time.Second)))
				Expect(lab.Knows(from, to)).To(BeTrue())
				time.Sleep(time.Until(last.Add(timeout + time.Second)))
				Expect(lab.Knows(from, to)).To(BeFalse())
			},
			Entry("by an abort: CLOSE, 10 s", Waits(11*time.Second), abort, "CLOSE", 10*time.Second),
			Entry("by a FIN that is not acknowledged: LAST_ACK, 30 s", Waits(40*time.Second), lastFINUnanswered, "LAST_ACK", 30*time.Second),
			Entry("by both ends, with FIN: TIME_WAIT, 120 s", Waits(2*time.Minute), closeInOrder, "TIME_WAIT", 2*time.Minute),
		)
	})
})

func abort(lab *harness.Lab, client, _ *harness.Conn) {
	client.Abort()
	Expect(lab.Server).To(HaveReceived(1, capture.RST, Within(time.Second)))
}

func closeInOrder(_ *harness.Lab, client, server *harness.Conn) {
	gone := server.TableEntry()
	client.Close()
	Expect(server).To(ReadZero(Within(time.Second)))
	server.Close()
	Expect(gone).To(EnterState(sock.Closed, Within(time.Second)))
}

// lastFINUnanswered lets the server close when the client has lost power. The server's kernel
// gives up on the FIN after about two seconds (oracle.GiveUp).
func lastFINUnanswered(lab *harness.Lab, client, server *harness.Conn) {
	lab.Server.Sysctl("ipv4/tcp_orphan_retries", 1)
	gone := server.TableEntry()
	client.CloseWrite()
	Expect(server).To(ReadZero(Within(time.Second)))
	lab.Apply(scenarios.PowerOff{Host: lab.Client})
	server.Close()
	Expect(gone).To(EnterState(sock.LastAck, Within(time.Second)))
	Expect(gone).To(EnterState(sock.Closed, Within(10*time.Second)))
}

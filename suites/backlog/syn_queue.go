package backlog

import (
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The rules are those of net/ipv4/tcp_input.c, tcp_conn_request.
var _ = Describe("A server whose SYN-ACKs do not arrive", Rows("B8"), func() {
	EachFamily(func(family sock.Family) {
		holdBack := scenarios.SilentDrop{Direction: scenarios.TowardsClient}
		// dial begins to connect a number of clients, and waits until their SYNs have arrived.
		dial := func(lab *harness.Lab, clients int) (dialled []*harness.Conn) {
			GinkgoHelper()
			for i := range clients {
				c := lab.Client.NewSocket(fmt.Sprintf("client %d", i+1))
				Expect(c.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
				Eventually(func() []capture.Packet {
					return lab.Server.Received(capture.All(capture.SYN, capture.From(c.Local())))
				}).WithTimeout(time.Second).ShouldNot(BeEmpty())
				dialled = append(dialled, c)
			}
			return dialled
		}
		// answers returns the number of SYN-ACKs that the server has sent to a client.
		answers := func(lab *harness.Lab, to *harness.Conn) (n int) {
			for _, p := range lab.Server.Sent(capture.SYNACK) {
				if p.Dst == to.Local() {
					n++
				}
			}
			return n
		}

		DescribeTable("without SYN cookies answers as many clients as fit into its SYN queue, and no further one",
			func(backlog, maxSYNBacklog int) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Server.Sysctl("ipv4/tcp_syncookies", 0)
				lab.Server.Sysctl("ipv4/tcp_max_syn_backlog", maxSYNBacklog)
				lab.Server.Listen(5000, backlog)
				most := oracle.SYNQueue(backlog, oracle.Somaxconn, maxSYNBacklog, false)

				lab.Apply(holdBack)
				clients := dial(lab, most+1)

				Expect(lab.Server.Count(sock.SynReceived)).To(Equal(most))
				further := clients[most]
				Expect(further).To(StayIn(sock.SynSent, 1500*time.Millisecond))
				repeatsItsSYN(further, lab.Client)
				Expect(answers(lab, further)).To(BeZero())
				for _, c := range clients[:most] {
					Expect(answers(lab, c)).To(BeNumerically(">", 0))
				}
			},
			Entry("listen(0)", Waits(1500*time.Millisecond), 0, oracle.MaxSYNBacklog),
			Entry("listen(3)", Waits(1500*time.Millisecond), 3, oracle.MaxSYNBacklog),
			Entry("listen(100), tcp_max_syn_backlog = 8", Waits(1500*time.Millisecond), 100, 8),
		)

		It("with SYN cookies answers further clients without remembering them; they get through when packets pass again", Waits(4*time.Second), func() {
			const backlog = 2
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			listener := lab.Server.Listen(5000, backlog)
			most := oracle.SYNQueue(backlog, oracle.Somaxconn, oracle.MaxSYNBacklog, true)

			lab.Apply(holdBack)
			clients := dial(lab, most+1)
			further := clients[most]
			Eventually(func() int { return answers(lab, further) }).WithTimeout(time.Second).Should(BeNumerically(">", 0))
			Expect(lab.Server.Count(sock.SynReceived)).To(Equal(most))
			lab.Heal(holdBack)

			// The clients that the server remembers fill the accept queue. The further client,
			// with its cookie or with another SYN, gets in when there is room.
			var servers []*harness.Conn
			for i := range most {
				servers = append(servers, listener.Accept(fmt.Sprintf("server %d", i+1)))
			}
			Expect(further).To(EnterState(sock.Established, Within(5*time.Second)))
			Expect(further.Write("here I am")).To(Succeed())
			servers = append(servers, listener.Accept("the last server"))
			its := slices.IndexFunc(servers, func(s *harness.Conn) bool { return s.Remote() == further.Local() })
			Expect(its).To(BeNumerically(">=", 0))
			Expect(servers[its].Read()).To(Equal("here I am"))
		})

		It("with tcp_syncookies = 2 remembers no client", Waits(2*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Server.Sysctl("ipv4/tcp_syncookies", 2)
			listener := lab.Server.Listen(5000, 2)

			lab.Apply(holdBack)
			client := dial(lab, 1)[0]
			Eventually(func() int { return answers(lab, client) }).WithTimeout(time.Second).Should(BeNumerically(">", 0))
			Expect(lab.Server.States()).To(ConsistOf(sock.Listening))
			Expect(client).To(BeInState(sock.SynSent))
			lab.Heal(holdBack)

			Expect(client).To(EnterState(sock.Established, Within(2*time.Second)))
			Expect(listener.Accept("server")).To(BeInState(sock.Established))
		})
	})
})

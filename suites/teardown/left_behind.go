package teardown

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// fin returns when a host sent its first FIN.
func fin(from *harness.Host) time.Time {
	GinkgoHelper()
	fins := from.Sent(capture.FIN)
	Expect(fins).NotTo(BeEmpty())
	return fins[0].At
}

var _ = Describe("A connection that one side has closed", Rows("T4"), func() {
	EachFamily(func(family sock.Family) {
		// The spec waits for the ACK of the FIN before close(2): if the ACK arrives while close
		// holds the socket, the connection ends with RST after tcp_fin_timeout
		// (net/ipv4/tcp_input.c, tcp_rcv_state_process, "bad case").
		It("stays in CLOSE_WAIT for as long as the other program does not close", Waits(5*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			lab.Server.Sysctl("ipv4/tcp_fin_timeout", 1)
			client, server := lab.Connect(5000)
			orphan := server.TableEntry()

			server.CloseWrite()
			Expect(client).To(EnterState(sock.CloseWait, Within(time.Second)))
			Expect(orphan).To(EnterState(sock.FinWait2, Within(time.Second)))
			left := time.Now()
			server.Close()

			Expect(orphan).To(EnterState(sock.Closed, During(oracle.Around(time.Second), left).StartingBy(time.Now())), "the side that closed has forgotten it")
			Expect(client).To(StayIn(sock.CloseWait, 4*time.Second))
		})

		DescribeTable("stays in FIN_WAIT2 for tcp_fin_timeout if no program holds it",
			func(finTimeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				lab.Server.Sysctl("ipv4/tcp_fin_timeout", int(finTimeout/time.Second))
				_, server := lab.Connect(5000)
				orphan := server.TableEntry()

				server.Close()

				Expect(orphan).To(EnterState(sock.FinWait2, Within(time.Second)))
				Expect(orphan).To(EnterState(sock.Closed, During(oracle.Around(finTimeout), fin(lab.Server))))
			},
			Entry("2 s", Waits(2*time.Second), 2*time.Second),
			Entry("60 s, the kernel's default", Waits(oracle.FinTimeout), oracle.FinTimeout),
		)

		DescribeTable("stays in FIN_WAIT1 while its FIN is unacknowledged, and is given up after tcp_orphan_retries",
			func(setting int) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Server.Sysctl("ipv4/tcp_orphan_retries", setting)
				_, server := lab.Connect(5000)
				orphan := server.TableEntry()

				lab.Apply(scenarios.PowerOff{Host: lab.Client})
				rto := server.RTO()
				server.Close()

				Expect(orphan).To(BeInState(sock.FinWait1))
				Expect(orphan).To(EnterState(sock.Closed, During(oracle.GiveUp(oracle.OrphanRetries(setting), rto), fin(lab.Server))))
				Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
			},
			Entry("2", Waits(4*time.Second), 2),
			Entry("0, the kernel's default, which means 8", Waits(103*time.Second), 0),
		)
	})
})

var _ = Describe("Writing to a peer in FIN_WAIT2 whose program is gone", Rows("T5"), func() {
	EachFamily(func(family sock.Family) {
		It("is answered with RST; then writing gives EPIPE and reading 0", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			orphan := server.TableEntry()
			server.Close()
			Expect(orphan).To(EnterState(sock.FinWait2, Within(time.Second)))

			Expect(client.Write("anyone?")).To(Succeed())

			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
			Expect(orphan).To(BeInState(sock.Closed))
			// According to POSIX the read gives ECONNRESET. Linux remembers the FIN
			// (net/ipv4/tcp.c, SOCK_DONE), and in CLOSE_WAIT an RST means EPIPE
			// (net/ipv4/tcp_input.c, tcp_reset).
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(client.Write("anyone?")).To(MatchError(unix.EPIPE))
		})
	})
})

var _ = Describe("A client that aborts before the server accepts", Rows("T6"), func() {
	EachFamily(func(family sock.Family) {
		It("is accepted all the same, and the first read gives ECONNRESET", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			listener := lab.Server.Listen(5000, 1)
			client := lab.Dial(5000)

			client.Abort()
			Expect(lab.Server).To(HaveReceived(1, capture.RST, Within(time.Second)))

			// According to POSIX accept fails with ECONNABORTED (accept(), ERRORS). Linux
			// leaves the ended connection in the queue (net/ipv4/inet_connection_sock.c,
			// inet_csk_accept).
			server := listener.Accept("server")
			Expect(server).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		})
	})
})

var _ = Describe("What the other side gets", Rows("T7"), func() {
	EachFamily(func(family sock.Family) {
		It(catalogue.Immediate, func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			server.Close()

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})

		It("from a close with linger 0: RST", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			server.Abort()

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(lab.Client.Received(capture.FIN)).To(BeEmpty())
		})

		It("from a close with unread data: RST", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			Expect(client.Write("never read")).To(Succeed())
			Expect(server).To(BeReadable(Within(time.Second)))

			server.Close()

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(lab.Client.Received(capture.FIN)).To(BeEmpty())
		})

		It("from a program that ends without closing: FIN", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(5000, fixtures.Hold{})
			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)

			lab.Apply(scenarios.ProcessKilled{Program: server})

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})
	})
})

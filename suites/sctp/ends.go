package sctp

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
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// quick has settings with which a dead peer is given up in seconds.
var quick = oracle.SCTP{
	Heartbeat: time.Second, PathRetransmissions: 2, AssociationRetransmissions: 3,
	RTOInitial: 500 * time.Millisecond, RTOMin: 200 * time.Millisecond, RTOMax: time.Second,
}

var _ = Describe("When an SCTP peer ends the association", Rows("S5"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("with SHUTDOWN, the read gives 0 and the write EPIPE", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Associate(diameterPort, nil)

			server.Close()

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(client.Write(0, diameter, "anyone?")).To(MatchError(unix.EPIPE))
			Expect(lab.Client.Received(capture.SCTP(capture.SHUTDOWN))).To(HaveLen(1))
			Expect(lab.Client.Received(capture.SCTP(capture.ABORT))).To(BeEmpty())
		})

		It("with SHUTDOWN, a subscriber gets SHUTDOWN_EVENT and SHUTDOWN_COMP before the 0", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Associate(diameterPort, subscribing)

			server.Close()

			Expect(client.ReadToEnd(time.Second)).To(Equal([]string{
				"ASSOC_CHANGE COMM_UP", "SHUTDOWN_EVENT", "ASSOC_CHANGE SHUTDOWN_COMP", "0"}))
		})

		It("with ABORT, the read gives ECONNRESET once and from then on EAGAIN, as if the peer lived; the write gives EPIPE", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Associate(diameterPort, nil)

			server.Abort()

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(client.Poll(unix.POLLIN|unix.POLLRDHUP)).To(BeZero(), "a program that waits once more waits for ever")
			_, err := client.Socket.ReceiveMessage(make([]byte, 16))
			Expect(err).To(Equal(unix.EAGAIN), "a blocking read gives ENOTCONN")
			Expect(client.Write(0, diameter, "anyone?")).To(MatchError(unix.EPIPE))
			Expect(lab.Client.Received(capture.SCTP(capture.ABORT))).To(HaveLen(1))
		})

		It("with ABORT, a subscriber gets the data before it, COMM_LOST, and ECONNRESET", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Associate(diameterPort, subscribing)
			Expect(server.Write(0, diameter, "last words")).To(Succeed())

			server.Abort()

			Expect(client.ReadToEnd(time.Second)).To(Equal([]string{
				"ASSOC_CHANGE COMM_UP", `"last words"`, "ASSOC_CHANGE COMM_LOST", "ECONNRESET"}))
		})

		It("because it was killed, its kernel sends SHUTDOWN, and the read gives 0", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{})
			client := lab.DialSCTP(diameterPort)
			server.Await(fixtures.Accepted)

			lab.Apply(scenarios.ProcessKilled{Program: server})

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.Client.Received(capture.SCTP(capture.ABORT))).To(BeEmpty())
		})

		It("because it was killed with unread data, its kernel sends ABORT, and the read gives ECONNRESET", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{NeverRead: true})
			client := lab.DialSCTP(diameterPort)
			server.Await(fixtures.Accepted)
			Expect(client.Write(0, diameter, "never read")).To(Succeed())
			Expect(lab.Client).To(HaveReceived(1, capture.SCTP(capture.SACK), Within(time.Second)), "the server's kernel has the data")

			lab.Apply(scenarios.ProcessKilled{Program: server})

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(lab.Client.Received(capture.SCTP(capture.SHUTDOWN))).To(BeEmpty())
		})

		It("without sending anything, the heartbeat notices, and the read gives ETIMEDOUT", Waits(10*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Associate(diameterPort, detecting(quick))

			lab.Apply(scenarios.SilentDrop{})

			Expect(client).To(FailWith(unix.ETIMEDOUT, Within(10*time.Second)))
		})

		It("without sending anything, a subscriber with data in flight gets ADDR_UNREACHABLE, COMM_LOST, and SEND_FAILED for the unacknowledged data", Waits(5*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Associate(diameterPort, func(client, listener *harness.Association) {
				detecting(quick)(client, listener)
				client.Subscribe()
			})

			lab.Apply(scenarios.SilentDrop{})
			Expect(client.Write(1, diameter, "into the void")).To(Succeed())

			Expect(client.ReadToEnd(10 * time.Second)).To(Equal([]string{
				"ASSOC_CHANGE COMM_UP",
				"PEER_ADDR_CHANGE ADDR_UNREACHABLE " + lab.Server.Address().String(),
				"ASSOC_CHANGE COMM_LOST",
				"SEND_FAILED of 13 bytes on stream 1",
				"ETIMEDOUT"}))
		})
	})
})

package sctp

import (
	"bytes"
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

// A page fits into one packet of the first cable (1500 bytes), but not of the narrow link. A
// HEARTBEAT fits into both.
var (
	narrow = scenarios.PathMTU{MTU: 1280, Filtered: true}
	page   = bytes.Repeat([]byte("x"), 1300)
)

// A HEARTBEAT ACK sets the failures of the path and of the association back to zero
// (net/sctp/sm_sideeffect.c, sctp_cmd_transport_on).
var _ = Describe("A path that narrowed, and whose ICMP errors are filtered", Rows("S12"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("answers HEARTBEATs and swallows DATA: the association is never given up",
			func(settings oracle.SCTP, watched time.Duration) {
				lab := harness.New(GinkgoT(), harness.Routed, family)
				client, server := lab.Associate(diameterPort, detecting(settings))
				measure(client, server)
				rto := settings.RTOMin // the round trip takes less than a millisecond
				Expect(watched).To(BeNumerically(">", 2*settings.InFlight(rto).Latest), "a silent peer would have been given up twice")

				lab.Apply(narrow)
				sent := time.Now()
				Expect(client.Write(0, diameter, string(page))).To(Succeed())
				time.Sleep(watched)

				Expect(client.State()).To(Equal(sock.SCTPEstablished))
				Expect(server.ReadToEnd(quiet)).To(Equal([]string{"nothing"}))
				// T3-rtx doubles the RTO and makes the kernel probe the path. The answer measures
				// the RTO anew, so that it is never doubled more than twice.
				retransmission := oracle.Around(4 * rto).Latest
				tries := lab.Client.Sent(capture.All(capture.SCTP(capture.DATA), capture.After(sent)))
				Expect(len(tries)).To(BeNumerically(">", int(watched/retransmission)))
				Expect(lab.Client.Received(capture.All(capture.SCTP(capture.HEARTBEATACK), capture.After(sent)))).NotTo(BeEmpty())

				lab.Heal(narrow)
				Expect(server).To(BeReadable(Within(retransmission)))
				Expect(server.Read()).To(HaveField("Data", page))
			},
			Entry("with the kernel's settings", Waits(20*time.Minute), Costs(6), oracle.DefaultSCTP(), 20*time.Minute),
			Entry("with all four settings tuned", Waits(time.Minute), Costs(3), quick, time.Minute),
		)

		// A packet has room for a HEARTBEAT and a page, so the kernel bundles them (RFC 9260
		// §6.10): the probe is as large as the data, and is swallowed as well.
		DescribeTable("swallows HEARTBEATs too as soon as a second message waits: the kernel bundles them, and the association is given up",
			func(settings oracle.SCTP) {
				lab := harness.New(GinkgoT(), harness.Routed, family)
				client, server := lab.Associate(diameterPort, detecting(settings))
				measure(client, server)
				inFlight := settings.InFlight(rtoOf(client)).Latest

				lab.Apply(narrow)
				Expect(client.Write(0, diameter, string(page))).To(Succeed())
				time.Sleep(2 * inFlight)
				Expect(client.State()).To(Equal(sock.SCTPEstablished))
				Expect(client.Write(0, diameter, string(page))).To(Succeed())

				Expect(client).To(FailWith(unix.ETIMEDOUT, Within(2*inFlight)))
				answered := WhenLast(lab.Client.Received(capture.SCTP(capture.HEARTBEATACK)))
				Expect(time.Now()).To(Happen(During(oracle.Window{Latest: inFlight}, answered)))
				bundled := capture.All(capture.SCTP(capture.HEARTBEAT), capture.SCTP(capture.DATA))
				Expect(lab.Client.Sent(bundled)).NotTo(BeEmpty())
				Expect(lab.Server.Received(bundled)).To(BeEmpty())
			},
			Entry("with the kernel's settings", Waits(20*time.Minute), Costs(4), oracle.DefaultSCTP()),
			Entry("with all four settings tuned", Waits(time.Minute), quick),
		)
	})
})

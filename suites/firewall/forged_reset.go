package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The rules are RFC 5961 §3.2 (net/ipv4/tcp_input.c, tcp_validate_incoming).
var _ = Describe("An RST that a firewall forges", Rows("F9"), func() {
	EachFamily(func(family sock.Family) {
		talking := func() (lab *harness.Lab, client, server *harness.Conn) {
			GinkgoHelper()
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			client, server = lab.Connect(5000)
			Talk(client, server)
			return lab, client, server
		}
		// forged waits for the RST, and returns the instant at which it arrived.
		forged := func(lab *harness.Lab) time.Time {
			GinkgoHelper()
			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
			return lab.Client.Received(capture.RST)[0].At
		}

		It("with a stale sequence number is ignored", func() {
			lab, client, server := talking()

			lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.Stale})
			arrived := forged(lab)

			Expect(client).To(StayAlive(300 * time.Millisecond))
			Expect(lab.Client.SentBy(client, capture.After(arrived))).To(BeEmpty(), "the client sends nothing")
			Talk(client, server)
		})

		It("with a sequence number inside the window but not the next one draws a challenge ACK, and the connection lives", func() {
			lab, client, server := talking()

			lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.InWindow})
			arrived := forged(lab)

			Expect(client).To(StayAlive(300 * time.Millisecond))
			challenges := lab.Client.SentBy(client, capture.After(arrived))
			Expect(challenges).To(HaveLen(1))
			Expect(challenges[0].ACK).To(BeTrue())
			Expect(challenges[0].Length).To(BeZero())
			Expect(lab.Server.SentBy(server, capture.After(arrived))).To(BeEmpty(), "a peer that did not send the RST does not answer the challenge")
			Talk(client, server)
		})

		It("with exactly the next sequence number gives ECONNRESET, and the other end does not know", func() {
			lab, client, server := talking()

			lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.Exact})
			forged(lab)

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
			Expect(server).To(BeInState(sock.Established), "half-open")
		})
	})
})

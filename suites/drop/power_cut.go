package drop

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A server that ends without closing its connections", Rows("D2"), func() {
	EachFamily(func(family sock.Family) {
		It("by a power cut: no FIN and no RST, and only keepalive notices on an idle connection", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.StartServer(5000, fixtures.Echo{})
			client := lab.Dial(5000)
			client.Keepalive(quick)

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(quick.Death(), quiet)))
			Expect(lab.Client.Received(capture.Any(capture.FIN, capture.RST))).To(BeEmpty())
		})

		It("by kill -9: its kernel sends FIN, and the client reads 0", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, fixtures.Echo{})
			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)

			lab.Apply(scenarios.ProcessKilled{Program: server})

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})

		It("by kill -9 with unread data: its kernel sends RST", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, fixtures.Hold{})
			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)
			Expect(client.Write("never read")).To(Succeed())
			Eventually(func() int { return client.Entry().Queues.Sent }).WithTimeout(time.Second).Should(BeZero(), "the server's kernel has the data")

			lab.Apply(scenarios.ProcessKilled{Program: server})

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(lab.Client.Received(capture.FIN)).To(BeEmpty())
		})
	})
})

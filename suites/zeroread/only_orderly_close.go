package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("When the peer ends the connection", Rows("Z5"), func() {
	EachFamily(func(family sock.Family) {
		It("with FIN, the read gives 0", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)

			server.Close()

			Expect(client).To(ReadZero(Within(time.Second)))
		})

		DescribeTable("and its FIN is lost, the read never returns",
			func(ever time.Duration, orphanRetries int) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Server.Sysctl("ipv4/tcp_orphan_retries", orphanRetries)
				client, server := lab.Connect(5000)

				orphan := server.TableEntry()
				lab.Apply(scenarios.SilentDrop{})
				server.Close()
				Expect(orphan).To(BeInState(sock.FinWait1), "its FIN is not acknowledged")

				Expect(client).To(StayAlive(ever))
				Expect(orphan).To(BeInState(sock.Closed), "the server's kernel has given up on its FIN")
			},
			Entry("5 s", Waits(5*time.Second), 5*time.Second, 2),
			Entry("72 h", Waits(72*time.Hour), 72*time.Hour, 0), // the kernel's default
		)

		It("with RST, the read gives ECONNRESET once and then 0; the write gives EPIPE", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)

			server.Abort()

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(client.Write("anyone?")).To(MatchError(unix.EPIPE))
		})
	})
})

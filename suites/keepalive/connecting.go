package keepalive

import (
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

var _ = Describe("Connecting to a server that does not answer", Rows("K13"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("ends with ETIMEDOUT after as many SYNs as tcp_syn_retries allows; keepalive has no effect",
			func(retries int) {
				k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 1}
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_syn_retries", retries)
				syns := oracle.SYNs(lab.Client.LinearSYNTimeouts(), retries)
				client := lab.Client.NewSocket("client")
				client.Keepalive(k)
				Expect(client.Socket.Option(unix.SOL_SOCKET, unix.SO_KEEPALIVE)).To(Equal(1))

				lab.Apply(scenarios.SilentDrop{})
				sent := time.Now()
				Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))

				giveUp := oracle.Around(syns[len(syns)-1])
				Expect(giveUp.Earliest).To(BeNumerically(">", k.Death().Latest), "keepalive would be faster")
				Expect(client).To(FailToConnect(unix.ETIMEDOUT, During(giveUp, sent)))
				Expect(lab.Client.Sent(capture.SYN)).To(HaveLen(len(syns) - 1))
				Expect(lab.Client.Sent(capture.KeepaliveProbe)).To(BeEmpty())
			},
			Entry("tcp_syn_retries = 2", Waits(7*time.Second), 2),
			Entry("tcp_syn_retries = 6, the kernel's default", Waits(131*time.Second), oracle.SYNRetries),
		)

		It("ends with ETIMEDOUT after TCP_USER_TIMEOUT, if that is shorter", Waits(5*time.Second), func() {
			const userTimeout = 5 * time.Second
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client := lab.Client.NewSocket("client")
			client.UserTimeout(userTimeout)

			lab.Apply(scenarios.SilentDrop{})
			sent := time.Now()
			Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))

			Expect(client).To(FailToConnect(unix.ETIMEDOUT, During(oracle.Around(userTimeout), sent)))
		})
	})
})

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

var _ = Describe("Keepalive together with TCP_USER_TIMEOUT", Rows("K5"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("gives up at the instant at which the first probe after the user timeout would be due, whatever the number of probes",
			func(k oracle.Keepalive) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, server := lab.Connect(5000)
				client.UserTimeout(k.UserTimeout)
				client.Keepalive(k)
				Expect(client.Write("hello")).To(Succeed())
				Expect(server.Read()).To(Equal("hello"), "its acknowledgement starts both timers")

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), quiet)))
				answered := len(lab.Server.Received(capture.KeepaliveProbe))
				Expect(lab.Client.Sent(capture.KeepaliveProbe)[answered:]).To(HaveLen(len(k.Probes())), "the unanswered probes")
				Expect(lab.Client.Sent(capture.RST)).To(HaveLen(1))
			},
			Entry("a short user timeout: one probe instead of nine", Waits(2*time.Second),
				oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 9, UserTimeout: 1500 * time.Millisecond}),
			Entry("a long user timeout: many probes instead of one", Waits(6*time.Second),
				oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 1, UserTimeout: 5700 * time.Millisecond}),
			Entry("idle 5 s, interval 3 s, 3 probes, user timeout 10 s", Waits(11*time.Second),
				oracle.Keepalive{Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3, UserTimeout: 10 * time.Second}),
		)
	})
})

var _ = Describe("TCP_USER_TIMEOUT alone", Rows("K6"), func() {
	EachFamily(func(family sock.Family) {
		It("never notices that the peer of an idle connection is gone, but notices that data is not acknowledged", Waits(8*time.Second), func() {
			const userTimeout = time.Second
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)
			client.UserTimeout(userTimeout)

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client).To(StayAlive(6 * time.Second))

			rto := client.RTO()
			Expect(client.Write("anyone?")).To(Succeed())
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.UserTimeout(userTimeout, rto), client.LastSent())))
			Expect(lab.Client.Sent(capture.RST)).To(BeEmpty(), "retransmission gives up without an RST")
		})
	})
})

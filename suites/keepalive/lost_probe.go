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

// The kernel compares the time since it last heard from the peer with TCP_USER_TIMEOUT each
// time its keepalive timer fires after a probe (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
// The first of those is one interval after the first probe.
var _ = Describe("A path that loses a single keepalive probe", Rows("K14"), func() {
	EachFamily(func(family sock.Family) {
		// loseOneProbe lets the client's first probe get lost, and nothing after it.
		loseOneProbe := func(k oracle.Keepalive) (lab *harness.Lab, client, server *harness.Conn, quiet time.Time) {
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			client, server = lab.Connect(5000)
			client.UserTimeout(k.UserTimeout)
			client.Keepalive(k)
			Say(client, server, "hello")

			loss := scenarios.SilentDrop{Direction: scenarios.TowardsServer}
			lab.Apply(loss)
			quiet = client.QuietSince()
			Expect(lab.Client).To(HaveSent(1, capture.KeepaliveProbe, During(oracle.Around(k.Idle), quiet)))
			lab.Heal(loss)
			return lab, client, server, quiet
		}

		DescribeTable("ends a connection to a living peer if TCP_USER_TIMEOUT is not longer than the idle time and one interval",
			func(k oracle.Keepalive) {
				lab, client, server, quiet := loseOneProbe(k)

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.Around(k.Idle+k.Interval), quiet)))
				Expect(lab.Client.Sent(capture.KeepaliveProbe)).To(HaveLen(1), "whatever their number could have been")
				Expect(server).To(FailWith(unix.ECONNRESET, Within(time.Second)), "the path is back, and the RST arrives")
			},
			Entry("idle 1 s, interval 1 s, user timeout 1.5 s", Waits(2*time.Second),
				oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5, UserTimeout: 1500 * time.Millisecond}),
			Entry("idle 5 s, interval 2 s, 3 probes, user timeout 4 s", Waits(7*time.Second),
				oracle.Keepalive{Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3, UserTimeout: 4 * time.Second}),
		)

		DescribeTable("is survived if TCP_USER_TIMEOUT is longer: the second probe is answered, and only the peer's death ends the connection",
			func(k oracle.Keepalive) {
				lab, client, _, quiet := loseOneProbe(k)

				Expect(client).To(StayAlive(time.Until(quiet.Add(k.UserTimeout + k.Interval/4))))
				Expect(lab.Client.Sent(capture.KeepaliveProbe)).To(HaveLen(2))
				Expect(lab.Server.Received(capture.KeepaliveProbe)).To(HaveLen(1))

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), client.QuietSince())))
			},
			Entry("idle 1 s, interval 1 s, user timeout 2.5 s", Waits(6*time.Second),
				oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5, UserTimeout: 2500 * time.Millisecond}),
			Entry("idle 5 s, interval 2 s, 3 probes, user timeout 9 s", Waits(16*time.Second),
				oracle.Keepalive{Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3, UserTimeout: 9 * time.Second}),
		)
	})
})

// Package keepalive contains the specs of TCP keepalive: rows K1 to K14 of the catalogue.
// harness/oracle computes when a probe goes out and when the connection ends.
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

var _ = Describe("Keepalive and a peer that vanished", Rows("K2"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("probes, gives up with ETIMEDOUT, and sends one RST",
			func(k oracle.Keepalive) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, _ := lab.Connect(5000)

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				client.Keepalive(k)
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), quiet)))
				probes := lab.Client.Sent(capture.KeepaliveProbe)
				Expect(probes).To(HaveLen(k.Count))
				Expect(probes[0].At).To(Happen(During(oracle.Around(k.Idle), quiet)), "the first probe")
				for i, probe := range probes[1:] {
					Expect(probe.At).To(Happen(During(oracle.Around(k.Interval), probes[i].At)), "each later probe")
				}
				Expect(lab.Client.Sent(capture.RST)).To(HaveLen(1))
			},
			Entry("idle 1 s, interval 1 s, 5 probes", Waits(6*time.Second), oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5}),
			Entry("idle 1 s, interval 1 s, 2 probes", Waits(3*time.Second), oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}),
			Entry("idle 2 s, interval 1 s, 3 probes", Waits(5*time.Second), oracle.Keepalive{Idle: 2 * time.Second, Interval: time.Second, Count: 3}),
			Entry("idle 5 s, interval 3 s, 3 probes", Waits(14*time.Second), oracle.Keepalive{Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}),
			Entry("idle 60 s, interval 20 s, 3 probes", Waits(2*time.Minute), oracle.Keepalive{Idle: time.Minute, Interval: 20 * time.Second, Count: 3}),
			Entry("idle 600 s, interval 30 s, 10 probes", Waits(15*time.Minute), oracle.Keepalive{Idle: 10 * time.Minute, Interval: 30 * time.Second, Count: 10}),
			Entry("the kernel's defaults: idle 7200 s, interval 75 s, 9 probes", Waits(2*time.Hour+11*time.Minute+15*time.Second), oracle.Default()),
		)
	})
})

var _ = Describe("Keepalive and a peer that crashed and rebooted", Rows("K3"), func() {
	EachFamily(func(family sock.Family) {
		It("ends at the first probe, which the peer answers with RST", Waits(time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)

			crash := scenarios.PowerOff{Host: lab.Server}
			lab.Apply(crash)
			lab.Heal(crash)
			client.Keepalive(k)
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ECONNRESET, During(oracle.Around(k.Probes()[0]), quiet)))
			Expect(lab.Client.Sent(capture.KeepaliveProbe)).To(HaveLen(1))
			Expect(lab.Client.Received(capture.RST)).To(HaveLen(1))
		})
	})
})

package drop

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/link"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// impairments are the ways in which a path can be bad.
func impairments(waits time.Duration) []TableEntry {
	var entries []TableEntry
	for _, by := range []link.Impairment{
		{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond},
		{Loss: 10},
		{Delay: 100 * time.Millisecond, Reorder: 50},
		{Duplicate: 50},
		{Corrupt: 10},
		{Rate: 64000},
	} {
		entries = append(entries, Entry(by.String(), Needs(require.Netem), Waits(waits), by))
	}
	return entries
}

var _ = Describe("Keepalive over a bad path", Rows("D8"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("gives no false alarm in a day",
			func(by link.Impairment) {
				k := oracle.Keepalive{Idle: 10 * time.Minute, Interval: 30 * time.Second, Count: 10}
				lab := harness.New(GinkgoT(), harness.Routed, family)
				client, server := lab.Connect(5000)
				client.Keepalive(k)

				lab.Apply(scenarios.ImpairedPath{By: by})
				Expect(client).To(StayAlive(24 * time.Hour))

				lab.Heal(scenarios.ImpairedPath{})
				Expect(client.Write("still here")).To(Succeed())
				Expect(server.Read()).To(Equal("still here"))
			},
			impairments(24*time.Hour),
		)

		DescribeTable("notices a dead peer as fast as over a good one: what nobody answers cannot be late",
			func(by link.Impairment) {
				k := oracle.Keepalive{Idle: time.Minute, Interval: 20 * time.Second, Count: 3}
				lab := harness.New(GinkgoT(), harness.Routed, family)
				client, _ := lab.Connect(5000)
				client.Keepalive(k)

				lab.Apply(scenarios.ImpairedPath{By: by})
				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), quiet)))
				Expect(lab.Client.Sent(capture.KeepaliveProbe)).To(HaveLen(k.Count))
			},
			impairments(2*time.Minute),
		)
	})
})

var _ = Describe("A late answer to data", Rows("D8"), func() {
	EachFamily(func(family sock.Family) {
		It("makes the retransmission timeout longer, and with it the time to notice that nobody acknowledges", Needs(require.Netem), Waits(time.Minute), func() {
			const retries = 5
			lab := harness.New(GinkgoT(), harness.Routed, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)
			good := client.RTO()

			lab.Apply(scenarios.ImpairedPath{By: link.Impairment{Delay: 400 * time.Millisecond}})
			for range 10 {
				Expect(client.Write("x")).To(Succeed())
				Expect(server.Read()).To(Equal("x"))
				time.Sleep(3 * time.Second)
			}
			bad, probe := client.RTO(), oracle.LossProbe(client.RTT(), client.RTO())
			Expect(bad).To(BeNumerically(">", 800*time.Millisecond), "the round trip and more (RFC 6298)")
			Expect(oracle.GiveUpAfter(probe, retries, bad).Earliest).To(BeNumerically(">", oracle.GiveUp(retries, good).Latest))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			sent := time.Now()
			Expect(client.Write("anyone?")).To(Succeed())
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUpAfter(probe, retries, bad), sent)))
		})
	})
})

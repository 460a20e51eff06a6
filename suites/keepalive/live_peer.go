package keepalive

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Keepalive and a peer that lives", Rows("K1"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("gets an answer to each probe, and never ends the connection",
			func(k oracle.Keepalive, silence time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, server := lab.Connect(5000)
				client.Keepalive(k)

				Expect(silence).To(BeNumerically(">", 2*k.Death().Latest), "a dead peer would have been noticed twice")
				Expect(client).To(StayAlive(silence))
				probes := lab.Client.Sent(capture.KeepaliveProbe)
				Expect(len(probes)).To(BeNumerically(">=", int(silence/oracle.Around(k.Idle).Latest)))
				for i, probe := range probes[1:] {
					Expect(probe.At).To(Happen(During(oracle.Around(k.Idle), probes[i].At)), "each answer restarts the idle time")
				}
				Expect(lab.Server.Received(capture.KeepaliveProbe)).To(HaveLen(len(probes)))
				Expect(client.Entry().Unanswered).To(BeZero())
				Say(client, server, "still here")
			},
			// The silence is not a multiple of the idle time: a probe may be late, and then
			// still be under way.
			Entry("11 s of silence, idle 2 s, interval 1 s, 2 probes", Waits(11*time.Second),
				oracle.Keepalive{Idle: 2 * time.Second, Interval: time.Second, Count: 2}, 11*time.Second),
			Entry(catalogue.ThreeDays, Waits(72*time.Hour), oracle.Default(), 72*time.Hour),
		)
	})
})

var _ = Describe("The keepalive timer of a socket", Rows("K11"), func() {
	EachFamily(func(family sock.Family) {
		It("can be read from outside: that it is armed, the remaining time, the unanswered probes", Waits(5*time.Second), func() {
			k := oracle.Keepalive{Idle: 2 * time.Second, Interval: time.Second, Count: 5}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)
			Expect(client.Entry().Timer).To(Equal(sock.NoTimer))

			client.Keepalive(k)
			due := client.QuietSince().Add(k.Idle)
			asked := time.Now()
			armed := client.Entry()
			Expect(armed.Timer).To(Equal(sock.KeepaliveTimer))
			Expect(armed.Expires).To(BeNumerically("<=", due.Sub(asked)+oracle.Tolerance(k.Idle)))
			Expect(armed.Expires).To(BeNumerically(">=", time.Until(due)-oracle.Tolerance(k.Idle)))
			Expect(armed.Unanswered).To(BeZero())

			lab.Apply(scenarios.SilentDrop{})
			quiet := client.QuietSince()
			Expect(client).To(StayAlive(time.Until(quiet.Add(k.Probes()[1] + k.Interval/2))))
			Expect(client.Entry().Unanswered).To(Equal(2))
		})

		It("sends probes that carry no data and have the sequence number before the next one", Waits(time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 5}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)
			Say(client, server, "hello")
			hello := lab.Client.Sent(capture.Data)[0]

			switchedOn := time.Now()
			client.Keepalive(k)

			Expect(lab.Client).To(HaveSent(1, capture.All(capture.From(client.Local()), capture.After(switchedOn)), Within(oracle.Around(k.Idle).Latest)), "any packet")
			probe := lab.Client.SentBy(client, capture.After(switchedOn))[0]
			Expect(probe.Length).To(BeZero())
			Expect(probe.ACK).To(BeTrue())
			Expect(probe.Seq).To(Equal(hello.Seq + uint32(hello.Length) - 1))
		})
	})
})

var _ = Describe("A peer whose process is stopped", Rows("K8"), func() {
	EachFamily(func(family sock.Family) {
		It("looks alive to keepalive, because its kernel answers every probe", Waits(8*time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, fixtures.Echo{})
			client := lab.Dial(5000)
			client.Keepalive(k)
			Expect(client.Write("are you there?")).To(Succeed())
			Expect(client.Read()).To(Equal("are you there?"), "the server works")

			lab.Apply(scenarios.ProcessStopped{Program: server})
			Expect(client.Write("and now?")).To(Succeed())

			Expect(client).To(StayAlive(8*time.Second), "the echo stops, and there is no error")
			Expect(len(lab.Client.Sent(capture.KeepaliveProbe))).To(BeNumerically(">=", 5))
			Expect(client.Entry().Unanswered).To(BeZero())
		})
	})
})

var _ = Describe("A peer that dies behind an L4 proxy", Rows("K9"), func() {
	EachFamily(func(family sock.Family) {
		It("looks alive to keepalive, because the proxy's kernel answers every probe", Waits(8*time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, _ := lab.Connect(5000)
			client.Keepalive(k)

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client.Write("are you there?")).To(Succeed())

			Expect(client).To(StayAlive(8 * time.Second))
			Expect(len(lab.Client.Sent(capture.KeepaliveProbe))).To(BeNumerically(">=", 5))
			Expect(client.Entry().Unanswered).To(BeZero())
			Expect(client.Entry().Queues.Sent).To(BeZero(), "even the data counts as delivered")
			Expect(lab.Server.Received(capture.Data)).To(BeEmpty())
		})
	})
})

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

// sparse is keepalive with few probes in eight hours.
var sparse = oracle.Keepalive{Idle: 10 * time.Minute, Interval: 30 * time.Second, Count: 10}

var _ = Describe("Keepalive over a bad path", Rows("D8"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("causes no false alarm in eight hours, and notices a dead peer as soon as over a good path",
			func(by link.Impairment, shows func(by link.Impairment, sent, arrived []capture.Packet)) {
				lab := harness.New(GinkgoT(), harness.Routed, family)
				client, _ := lab.Connect(5000)

				lab.Apply(scenarios.ImpairedPath{By: by})
				client.Keepalive(sparse)
				Expect(client).To(StayAlive(8 * time.Hour))
				sent := lab.Client.Sent(capture.KeepaliveProbe)
				shows(by, sent, lab.Server.Received(capture.KeepaliveProbe))

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(sparse.Death(), quiet)), "the path delays answers, and there are none")
			},
			badPath(link.Impairment{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond}, areLate),
			badPath(link.Impairment{Delay: 100 * time.Millisecond, Reorder: 50}, areLate),
			badPath(link.Impairment{Rate: 64000}, areLate),
			badPath(link.Impairment{Duplicate: 50}, areDoubled),
			badPath(link.Impairment{Loss: 10}, areRepeated),
			badPath(link.Impairment{Corrupt: 10}, areRepeated),
		)
	})
})

// badPath returns an entry for an impairment, and for the check that eight hours of probes
// show it.
func badPath(by link.Impairment, shows func(by link.Impairment, sent, arrived []capture.Packet)) TableEntry {
	return Entry(by.String(), Needs(require.Netem), Waits(9*time.Hour), by, shows)
}

// areLate expects that more than a quarter of the probes take as long as the impairment
// demands. With reordering half of them do, and the other half overtakes.
func areLate(by link.Impairment, sent, arrived []capture.Packet) {
	GinkgoHelper()
	Expect(sent).NotTo(BeEmpty(), "probes go out")
	Expect(arrived).To(HaveLen(len(sent)), "all probes arrive")
	least := by.Delay - by.Jitter
	if by.Rate > 0 {
		const bits = 8 * (14 + 20 + 32) // the headers: Ethernet, IPv4, TCP with time stamps
		least += bits * time.Second / time.Duration(by.Rate)
	}
	late := 0
	for i := range sent {
		if arrived[i].At.Sub(sent[i].At) >= least {
			late++
		}
	}
	Expect(late).To(BeNumerically(">", len(sent)/4), "probes that took %v or longer, of %d", least, len(sent))
}

// areDoubled expects that more probes arrive than were sent.
func areDoubled(_ link.Impairment, sent, arrived []capture.Packet) {
	GinkgoHelper()
	Expect(sent).NotTo(BeEmpty(), "probes go out")
	Expect(len(arrived)).To(BeNumerically(">", len(sent)), "some probes arrive twice")
}

// areRepeated expects that some probes got no answer: the next probe follows after the
// interval and not after the idle time.
func areRepeated(_ link.Impairment, sent, _ []capture.Packet) {
	GinkgoHelper()
	repeated := 0
	for i := 1; i < len(sent); i++ {
		if sent[i].At.Sub(sent[i-1].At) <= oracle.Around(sparse.Interval).Latest {
			repeated++
		}
	}
	Expect(repeated).To(BeNumerically(">", 0), "probes that follow an unanswered one, of %d", len(sent))
}

var _ = Describe("A path that delays acknowledgements", Rows("D8"), func() {
	EachFamily(func(family sock.Family) {
		It("makes the retransmission timeout longer, and so the time until the sender notices a dead peer", Needs(require.Netem), Waits(time.Minute), func() {
			const retries, delay = 5, 400 * time.Millisecond
			lab := harness.New(GinkgoT(), harness.Routed, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)
			good := client.RTO()

			lab.Apply(scenarios.ImpairedPath{By: link.Impairment{Delay: delay}})
			for range 10 {
				Say(client, server, "x")
				time.Sleep(3 * time.Second)
			}
			bad, probe := client.RTO(), oracle.LossProbe(client.RTT(), client.RTO())
			Expect(bad).To(BeNumerically(">", 2*delay), "the round trip and more (RFC 6298)")
			Expect(oracle.GiveUpWithProbe(retries, bad, probe).Earliest).To(BeNumerically(">", oracle.GiveUp(retries, good).Latest))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client.Write("anyone?")).To(Succeed())
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUpWithProbe(retries, bad, probe), client.LastSent())))
		})
	})
})

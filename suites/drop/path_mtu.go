package drop

import (
	"strings"
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

// A page fits into one packet of the first cable (1500 bytes), but not of the narrow link. A
// heartbeat fits into both.
const narrow = 1280 // bytes

var (
	page   = strings.Repeat("x", 1400)
	tooBig = capture.ICMP("FragmentationNeeded", "PacketTooBig")
)

var _ = Describe("A narrow link on the path", Rows("D7"), func() {
	EachFamily(func(family sock.Family) {
		beat := func(from, to *harness.Conn) {
			GinkgoHelper()
			Say(from, to, ".")
		}

		It("whose ICMP errors are filtered passes heartbeats and swallows bulk data: ETIMEDOUT, although the peer is heard", Waits(4*time.Second), func() {
			const retries, beats = 2, 100 * time.Millisecond
			lab := harness.New(GinkgoT(), harness.Routed, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)

			lab.Apply(scenarios.PathMTU{MTU: narrow, Filtered: true})
			beat(client, server)
			beat(server, client)
			rto := client.RTO()
			Expect(client.Write(page)).To(Succeed())
			bulk, end := client.LastSent(), oracle.GiveUp(retries, rto)
			for time.Since(bulk) < end.Earliest-2*beats {
				beat(server, client)
				time.Sleep(beats)
			}
			Expect(client).To(BeInState(sock.Established))

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(end, bulk)))
			Expect(lab.Client.Received(tooBig)).To(BeEmpty())
			Expect(server).To(StayAlive(100*time.Millisecond), "nothing arrived, no FIN and no RST either")
		})

		// After tcp_retries1 timeouts the kernel sends segments of tcp_base_mss
		// (net/ipv4/tcp_timer.c, tcp_write_timeout and tcp_mtu_probing; RFC 4821 §7.7).
		It("whose ICMP errors are filtered is found by tcp_mtu_probing = 1 after tcp_retries1 timeouts", Waits(7*time.Second), func() {
			const retries1 = 3 // the kernel's default
			lab := harness.New(GinkgoT(), harness.Routed, family)
			lab.Client.Sysctl("ipv4/tcp_mtu_probing", 1)
			client, server := lab.Connect(5000)

			lab.Apply(scenarios.PathMTU{MTU: narrow, Filtered: true})
			beat(client, server)
			rto := client.RTO()
			Expect(client.Write(page)).To(Succeed())
			bulk := client.LastSent()

			Expect(server).To(BeReadable(During(oracle.GiveUp(retries1, rto), bulk)))
			Expect(server.ReadAll(len(page))).To(Equal(page))
			Expect(lab.Client.Received(tooBig)).To(BeEmpty())
			found := time.Now()
			Expect(client.Write(page)).To(Succeed())
			Expect(server.ReadAll(len(page))).To(Equal(page))
			Expect(lab.Client.Sent(capture.All(capture.Retransmission, capture.After(found)))).To(BeEmpty(), "later data arrives at once")
		})
	})
})

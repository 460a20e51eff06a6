package drop

import (
	"net/netip"
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

// neighbourFails is how long a router asks for a neighbour before it answers "host
// unreachable": three times, a second apart (arp(7): mcast_solicit 3, retrans_time_ms 1000;
// RFC 4861 §10: MAX_MULTICAST_SOLICIT, RETRANS_TIMER).
const neighbourFails = 3 * time.Second

var _ = Describe("A server to which the client has no route", Rows("D5"), func() {
	EachFamily(func(family sock.Family) {
		It("cannot be connected to: the client's kernel says ENETUNREACH at once, without sending a packet", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client := lab.Client.NewSocket("client")
			elsewhere := map[sock.Family]string{sock.IPv4: "203.0.113.1:5000", sock.IPv6: "[2001:db8:ffff::1]:5000"}[family]

			Expect(client.Connect(netip.MustParseAddrPort(elsewhere))).To(MatchError(unix.ENETUNREACH))
			Expect(lab.Client.Sent(capture.SYN)).To(BeEmpty())
		})
	})
})

var _ = Describe("A server that no longer answers its router's ARP", Rows("D5"), func() {
	EachFamily(func(family sock.Family) {
		It("cannot be connected to: EHOSTUNREACH when the router has given up asking", Waits(neighbourFails), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.NeighbourLost{})

			client := lab.Client.NewSocket("client")
			started := time.Now()
			Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))

			Expect(client).To(FailToConnect(unix.EHOSTUNREACH, During(oracle.Around(neighbourFails), started)))
		})

		It("ends a connection with data in flight with EHOSTUNREACH instead of ETIMEDOUT, and not earlier", Waits(13*time.Second), func() {
			const retries = 5
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, _ := lab.Connect(5000)

			lab.Apply(scenarios.NeighbourLost{})
			sent := time.Now()
			Expect(client.Write("anyone?")).To(Succeed())

			// The kernel remembers the ICMP error, and reports it when it gives up
			// retransmitting. The error also undoes one step of the backoff (RFC 6069), so
			// that the time is the lower bound of the rule and not that of the schedule.
			Expect(client).To(FailWith(unix.EHOSTUNREACH, During(oracle.Around(oracle.ModelTimeout(retries)), sent)))
		})
	})
})

package recovery

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A peer that is away before the connection is made", Rows("R7"), func() {
	EachFamily(func(family sock.Family) {
		// start starts a client without waiting until it is connected.
		start := func(lab *harness.Lab, client fixtures.Requester, to netip.AddrPort) (program *harness.Program, began time.Time) {
			began = time.Now()
			return lab.Client.Start(client.ClientCommand(to)), began
		}

		DescribeTable("ends an attempt by the program's connect time-out or by tcp_syn_retries, whichever is shorter",
			func(own time.Duration, retries int, reason string) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_syn_retries", retries)
				lab.StartServer(port, fixtures.Responder{})
				syns := oracle.SYNs(lab.Client.LinearSYNTimeouts(), retries)
				expected := syns[len(syns)-1]
				if reason == fixtures.Overdue {
					Expect(own).To(BeNumerically("<", expected))
					expected = own
				}

				away := scenarios.SilentDrop{}
				lab.Apply(away)
				client, began := start(lab, fixtures.Requester{Reconnect: oracle.Reconnection{Timeout: own}}, lab.Entrance(port))

				Expect(client).To(Announce(fixtures.Unconnected, During(oracle.Around(expected), began).StartingBy(firstSYN(lab))))
				Expect(client.Await(fixtures.Unconnected).Text).To(Equal(reason))
				lab.Heal(away)
				Expect(client).To(Announce(peer.Connected, Within(2*time.Second)), "the next attempt")
			},
			Entry("1.5 s of its own", Waits(4*time.Second), 1500*time.Millisecond, oracle.SYNRetries, fixtures.Overdue),
			Entry("tcp_syn_retries = 1: 3 s", Waits(5*time.Second), time.Minute, 1, "ETIMEDOUT"),
			Entry("none of its own, tcp_syn_retries = 6: more than two minutes", Waits(140*time.Second), time.Duration(0), oracle.SYNRetries, "ETIMEDOUT"),
		)

		// everywhere is the address on which a server takes connections to all of its addresses.
		everywhere := netip.AddrPortFrom(map[sock.Family]netip.Addr{sock.IPv4: netip.IPv4Unspecified(), sock.IPv6: netip.IPv6Unspecified()}[family], port)

		DescribeTable("delays a client that tries several addresses in turn by as much for each address that is silent",
			func(own time.Duration, retries int) {
				lab := harness.New(GinkgoT(), harness.Multihomed, family)
				lab.Client.Sysctl("ipv4/tcp_syn_retries", retries)
				lab.Server.Start(fixtures.Responder{}.ServerCommand(everywhere)).Await(peer.Ready)
				addresses := lab.Server.AddressPorts(port)
				expected := own
				if own == 0 {
					syns := oracle.SYNs(lab.Client.LinearSYNTimeouts(), retries)
					expected = syns[len(syns)-1]
				}

				lab.Apply(scenarios.SilentDrop{})
				client, began := start(lab, fixtures.Requester{Reconnect: oracle.Reconnection{Timeout: own}, Others: addresses[1:]}, addresses[0])

				Expect(client).To(Announce(peer.Connected, During(oracle.Around(expected), began).StartingBy(firstSYN(lab))))
				Expect(client.Await(peer.Connected).Peer).To(Equal(addresses[1].String()))
				client.Await(fixtures.Answered)
				Expect(all(client, fixtures.Unconnected)).To(HaveLen(1))
			},
			Entry("connect time-out of 1.5 s", Waits(2*time.Second), 1500*time.Millisecond, oracle.SYNRetries),
			Entry("the kernel's, tcp_syn_retries = 1", Waits(4*time.Second), time.Duration(0), 1),
			Entry("the kernel's, tcp_syn_retries = 6", Waits(140*time.Second), time.Duration(0), oracle.SYNRetries),
		)

		It("does not delay that client if its host lives and refuses: RST, and the next address at once", func() {
			lab := harness.New(GinkgoT(), harness.Multihomed, family)
			addresses := lab.Server.AddressPorts(port)
			lab.Server.Start(fixtures.Responder{}.ServerCommand(addresses[1])).Await(peer.Ready)

			client, _ := start(lab, fixtures.Requester{Others: addresses[1:]}, addresses[0])

			Expect(client).To(Announce(fixtures.Answered, Within(time.Second)))
			Expect(client.Await(fixtures.Unconnected).Text).To(Equal("ECONNREFUSED"))
		})
	})
})

// firstSYN waits until the client has sent a SYN, and returns when it did.
func firstSYN(lab *harness.Lab) time.Time {
	GinkgoHelper()
	Expect(lab.Client).To(HaveSent(1, capture.SYN, Within(time.Second)))
	return lab.Client.Sent(capture.SYN)[0].At
}

package drop

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("An ICMP error from a router", Rows("D6"), func() {
	EachFamily(func(family sock.Family) {
		// The errno atlas (suites/errno) has the errno for each error.
		It("ends a connection attempt as soon as it answers a SYN", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client := ConnectInto(lab, scenarios.HostUnreachable)

			Expect(client).To(FailToConnect(unix.EHOSTUNREACH, Within(oracle.Around(oracle.SYNs(0, 6)[1]).Latest)))
			Expect(lab.Client.Received(capture.ICMP("Unreachable"))).To(HaveLen(1), "the first error ends the attempt")
		})

		DescribeTable("only names the reason when an established connection is given up anyway",
			func(answer scenarios.ICMP, reason unix.Errno, giveUp func(retries int, rto time.Duration) oracle.Window) {
				const retries = 2
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_retries2", retries)
				client, _ := lab.Connect(5000)

				lab.Apply(scenarios.ICMPError{Answer: answer})
				rto := client.RTO()
				Expect(client.Write("anyone?")).To(Succeed())

				Expect(client).To(FailWith(reason, During(giveUp(retries, rto), client.LastSent())))
			},
			Entry("network unreachable", Waits(3*time.Second), scenarios.NetUnreachable, unix.ENETUNREACH, oracle.GiveUpUnreachable),
			Entry("port unreachable, the default of iptables' REJECT", Waits(3*time.Second), scenarios.PortUnreachable, unix.ECONNREFUSED, oracle.GiveUp),
			Entry("time exceeded, from a routing loop", Waits(3*time.Second), scenarios.TimeExceeded, unix.EHOSTUNREACH, oracle.GiveUp),
		)

		It("is ignored when it answers a keepalive probe, because the probe's sequence number is not in flight", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)
			client.Keepalive(quick)

			lab.Apply(scenarios.ICMPError{Answer: scenarios.HostUnreachable})
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(quick.Death(), quiet)))
			Expect(lab.Client.Received(capture.ICMP("Unreachable", "Host"))).NotTo(BeEmpty(), "the errors have arrived")
		})

		It("that says that a packet is too big (code 4) makes the sender send smaller ones, and nothing is lost", func() {
			const narrow = 1300 // IPv6 needs 1280
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)
			letter := strings.Repeat("a long letter ", 1000)

			lab.Apply(scenarios.PathMTU{MTU: narrow})
			Expect(client.Write(letter)).To(Succeed())

			Expect(server.ReadAll(len(letter))).To(Equal(letter))
			info, err := client.Socket.Info()
			Expect(err).NotTo(HaveOccurred())
			Expect(info.Pmtu).To(BeEquivalentTo(narrow))
			Expect(lab.Client.Received(capture.ICMP("Fragmentation", "TooBig"))).NotTo(BeEmpty())
		})
	})
})

var _ = Describe("A ping of a host whose program hangs", Rows("D6"), func() {
	EachFamily(func(family sock.Family) {
		It("is answered by the kernel: the answer says only that the kernel lives", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, fixtures.Echo{})
			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)

			lab.Apply(scenarios.ProcessStopped{Program: server})

			Expect(lab.Client.Ping(lab.Server.Address())).To(BeNumerically("<", time.Second))
			Expect(client.Write("are you there?")).To(Succeed())
			Expect(client).To(StayAlive(500*time.Millisecond), "the program does not echo")
		})
	})
})

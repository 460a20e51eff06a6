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

var _ = Describe("A router that answers with ICMP", Rows("D6"), func() {
	// The errno of each is the kernel's table: icmp_err_convert (net/ipv4/icmp.c)
	// and tab_unreach (net/ipv6/icmp.c).
	DescribeTable("ends a connect, with the errno of the message, as soon as it answers a SYN",
		func(family sock.Family, answer scenarios.ICMP, errno unix.Errno) {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Server.Listen(5000, 1)
			client := lab.Client.NewSocket("client")

			// The first SYN gets no answer. In a lab it would come while connect(2)
			// still holds the socket, and the kernel would only make a note of it
			// (sk_err_soft).
			outage := scenarios.SilentDrop{}
			lab.Apply(outage)
			Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
			lab.Apply(scenarios.ICMPError{Answer: answer})
			lab.Heal(outage)

			Expect(client).To(FailToConnect(errno, Within(oracle.Around(oracle.SYNs(0, 6)[1]).Latest)))
			Expect(lab.Client.Received(capture.ICMP("Unreachable", "Exceeded"))).To(HaveLen(1), "the first answer ends it")
		},
		Entry("IPv4, code 0: network unreachable", Waits(time.Second), sock.IPv4, scenarios.NetUnreachable, unix.ENETUNREACH),
		Entry("IPv4, code 1: host unreachable", Waits(time.Second), sock.IPv4, scenarios.HostUnreachable, unix.EHOSTUNREACH),
		Entry("IPv4, code 2: protocol unreachable", Waits(time.Second), sock.IPv4, scenarios.ProtocolUnreachable, unix.ENOPROTOOPT),
		Entry("IPv4, code 3: port unreachable", Waits(time.Second), sock.IPv4, scenarios.PortUnreachable, unix.ECONNREFUSED),
		Entry("IPv4, time exceeded: a routing loop", Waits(time.Second), sock.IPv4, scenarios.TimeExceeded, unix.EHOSTUNREACH),
		Entry("IPv6, code 0: no route", Waits(time.Second), sock.IPv6, scenarios.NetUnreachable, unix.ENETUNREACH),
		Entry("IPv6, code 3: address unreachable", Waits(time.Second), sock.IPv6, scenarios.HostUnreachable, unix.EHOSTUNREACH),
		Entry("IPv6, code 1: administratively prohibited", Waits(time.Second), sock.IPv6, scenarios.ProtocolUnreachable, unix.EACCES),
		Entry("IPv6, code 4: port unreachable", Waits(time.Second), sock.IPv6, scenarios.PortUnreachable, unix.ECONNREFUSED),
		Entry("IPv6, hop limit exceeded: a routing loop", Waits(time.Second), sock.IPv6, scenarios.TimeExceeded, unix.EHOSTUNREACH),
	)

	EachFamily(func(family sock.Family) {
		It("only names the reason when an established connection gives up by itself", Waits(3*time.Second), func() {
			const retries = 2
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, _ := lab.Connect(5000)

			lab.Apply(scenarios.ICMPError{Answer: scenarios.NetUnreachable})
			rto := client.RTO()
			Expect(client.Write("anyone?")).To(Succeed())

			Expect(client).To(FailWith(unix.ENETUNREACH, During(oracle.GiveUpUnreachable(retries, rto), client.LastSent())))
		})

		It("is ignored when it answers a keepalive probe, whose sequence number is none in flight", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)
			client.Keepalive(quick)

			lab.Apply(scenarios.ICMPError{Answer: scenarios.HostUnreachable})
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(quick.Death(), quiet)))
			Expect(lab.Client.Received(capture.ICMP("Unreachable", "Host"))).NotTo(BeEmpty(), "the answer did come")
		})

		It("makes the sender's packets smaller when they are too big for the path (code 4), and nothing is lost", func() {
			const narrow = 1300 // IPv6 needs 1280
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)
			letter := strings.Repeat("a long letter ", 1000)

			lab.Apply(scenarios.PathMTU{MTU: narrow})
			Expect(client.Write(letter)).To(Succeed())

			Expect(server.ReadAll(len(letter))).To(Equal(letter))
			info, err := client.Info()
			Expect(err).NotTo(HaveOccurred())
			Expect(info.Pmtu).To(BeEquivalentTo(narrow))
			Expect(lab.Client.Received(capture.ICMP("Fragmentation", "TooBig"))).NotTo(BeEmpty())
		})

		It("does answer an echo for a host whose program hangs: a ping says that the kernel lives, no more", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, "echo")
			client := lab.Dial(5000)
			server.Await("accepted")

			lab.Apply(scenarios.ProcessStopped{Program: server})

			Expect(lab.Client.Ping(lab.Server.Address())).To(BeNumerically("<", time.Second))
			Expect(client.Write("are you there?")).To(Succeed())
			Expect(client).To(StayAlive(500*time.Millisecond), "no echo from the program")
		})
	})
})

package drop

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

var _ = Describe("A path that drops only one direction", Rows("D3"), func() {
	EachFamily(func(family sock.Family) {
		It("towards the server, on an idle connection: the client's probes are lost, and the server notices nothing", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)

			lab.Apply(scenarios.SilentDrop{Direction: scenarios.TowardsServer})
			client.Keepalive(quick)
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(quick.Death(), quiet)))
			Expect(lab.Server.Received(capture.KeepaliveProbe)).To(BeEmpty())
			Expect(server).To(BeInState(sock.Established), "the RST was lost as well")
		})

		It("towards the client, on an idle connection: the probes arrive, their answers are lost, and an RST tells the server", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)

			lab.Apply(scenarios.SilentDrop{Direction: scenarios.TowardsClient})
			client.Keepalive(quick)
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(quick.Death(), quiet)))
			Expect(lab.Server.Received(capture.KeepaliveProbe)).To(HaveLen(quick.Count))
			Expect(server).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		})

		It("towards the client, on a busy connection: the server has the data, and the client retransmits it until it gives up", Waits(4*time.Second), func() {
			const retries = 2
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)

			lab.Apply(scenarios.SilentDrop{Direction: scenarios.TowardsClient})
			rto := client.RTO()
			Expect(client.Write("delivered")).To(Succeed())

			Expect(server.Read()).To(Equal("delivered"))
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), client.LastSent())))
			Expect(server).To(StayAlive(100*time.Millisecond), "the server has read the data once, in spite of the retransmissions")
		})

		It("towards the server, on a busy connection: nothing arrives, and the client retransmits until it gives up", Waits(4*time.Second), func() {
			const retries = 2
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)

			lab.Apply(scenarios.SilentDrop{Direction: scenarios.TowardsServer})
			rto := client.RTO()
			Expect(client.Write("lost")).To(Succeed())

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), client.LastSent())))
			Expect(server).To(StayAlive(100 * time.Millisecond))
		})
	})
})

var _ = Describe("A drop that heals before anybody has noticed", Rows("D4"), func() {
	EachFamily(func(family sock.Family) {
		It("loses nothing, duplicates nothing and causes no error", Waits(4*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)

			drop := scenarios.SilentDrop{}
			lab.Apply(drop)
			Expect(client.Write("one,")).To(Succeed())
			Expect(server.Write("uno,")).To(Succeed())
			Expect(server).To(StayAlive(2 * time.Second))
			lab.Heal(drop)
			Expect(client.Write("two")).To(Succeed())
			Expect(server.Write("due")).To(Succeed())

			Expect(server.ReadAll(len("one,two"))).To(Equal("one,two"))
			Expect(client.ReadAll(len("uno,due"))).To(Equal("uno,due"))
			Expect(client).To(StayAlive(time.Second))
			Expect(server).To(StayAlive(100 * time.Millisecond))
		})
	})
})

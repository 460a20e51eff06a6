package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A firewall that loses its state in the middle of a flow", Rows("F6"), func() {
	EachFamily(func(family sock.Family) {
		It("resets the next sender, if it is strict and rejects with RST", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.ResetSender})
			client, server := lab.Connect(5000)
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue())

			lab.Apply(scenarios.StateFlush{Then: firewall.ResetSender})

			Expect(client.Write("hello?")).To(Succeed())
			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(server).To(BeInState(sock.Established))
		})

		It("stalls the flow for good, if it is strict and silent", Waits(4*time.Second), func() {
			const retries = 2
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.SilentDrop})
			client, server := lab.Connect(5000)
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue())

			lab.Apply(scenarios.StateFlush{Then: firewall.SilentDrop})

			rto := client.RTO()
			Expect(client.Write("hello?")).To(Succeed())
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), client.LastSent())))
			Expect(server).To(BeInState(sock.Established))
		})

		It("goes on as if nothing had happened, if it picks flows up", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.PickUp})
			client, server := lab.Connect(5000)
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue())

			lab.Apply(scenarios.StateFlush{Then: firewall.PickUp})
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeFalse())

			Talk(client, server)
			Expect(lab.Knows(client.Local(), client.Remote())).To(BeTrue(), "a packet in mid-flow has made a new entry")
		})
	})
})

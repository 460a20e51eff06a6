package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A NAT that forgets a mapping", Rows("F7"), func() {
	EachFamily(func(family sock.Family) {
		It("comes back with another port: the server resets the stranger and keeps the ghost", func() {
			newPorts := firewall.PortRange{First: 61000, Last: 61999}
			lab := harness.New(GinkgoT(), harness.NATed, family)
			client, server := lab.Connect(5000)
			Expect(server.Remote().Addr()).NotTo(Equal(client.Local().Addr()), "the NAT hides the client")
			Expect(client.Write("hello")).To(Succeed())
			Expect(server.Read()).To(Equal("hello"))

			lab.Apply(scenarios.NATRebinding{Client: client, Ports: newPorts})
			Expect(client.Write("me again")).To(Succeed())

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(server).To(BeInState(sock.Established), "the ghost: its client will never speak again")
			stranger := lab.Server.Received(capture.Data)[1]
			Expect(stranger.Src.Port()).To(BeNumerically(">=", newPorts.First))
			Expect(lab.Server.Sent(capture.RST)).To(HaveLen(1))
			Expect(lab.Server.Sent(capture.RST)[0].Dst).To(Equal(stranger.Src))
		})
	})
})

package proxied

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

var _ = Describe("A proxy between client and server", func() {
	EachFamily(func(family sock.Family) {
		It("turns an RST into a FIN: the client reads 0", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)

			server.Abort()

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})

		It("accepts a client although the server refuses: the client's connect succeeds, then it reads 0", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)

			client := lab.Dial(port) // nobody listens on the server

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.ProxyHost()).To(HaveReceived(1, capture.RST, Within(time.Second)), "the client is not told of it")
		})

		It("closes both ends with FIN when its route is disabled, and refuses the next client", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)

			disabled := scenarios.RouteDisabled{Port: port}
			lab.Apply(disabled)

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(server).To(ReadZero(Within(time.Second)))
			next := lab.Client.NewSocket("next client")
			Expect(next.Connect(lab.Entrance(port))).To(MatchError(unix.EINPROGRESS))
			Expect(next).To(FailToConnect(unix.ECONNREFUSED, Within(time.Second)))

			lab.Heal(disabled)
			talking(lab)
		})

		It("closes both ends with FIN when it is killed", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)

			lab.Apply(scenarios.ProxyKilled{})

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(server).To(ReadZero(Within(time.Second)))
		})
	})
})

var _ = Describe("A firewall in front of a proxy", func() {
	EachFamily(func(family sock.Family) {
		It("drops the client's FIN silently: the proxy keeps its connection to the server", func() {
			lab := harness.New(GinkgoT(), harness.ProxiedBehindFirewall, family)
			client, server := talking(lab)

			drop := scenarios.SilentDrop{}
			lab.Apply(drop)
			rto, closed := client.RTO(), time.Now()
			client.Close()
			Expect(server).To(StayAlive(time.Second))

			lab.Heal(drop)
			// The RTO doubles with each retransmission. So the next one is due before as much
			// time passes as has passed since the close, plus the first RTO.
			doubled := oracle.Around(time.Since(closed) + rto).Latest
			Expect(server).To(ReadZero(Within(doubled)), "the retransmitted FIN arrives")
		})
	})
})

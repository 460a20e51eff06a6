// Package drop contains the specs of abrupt drops: cables, power cuts, one-way paths, drops
// that heal, and the answers of routers: rows D1 to D8 of the catalogue.
package drop

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// quick notices a dead peer after three seconds.
var quick = oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}

// unhurried waits for two seconds before its first probe. After losing the carrier, the
// kernel takes up to a second to take the link's queue out of service (net/core/link_watch.c,
// linkwatch_schedule_work). Until then the driver refuses each packet, and a refused probe
// does not count: the kernel sends it again half a second later (net/ipv4/tcp_timer.c,
// tcp_keepalive_timer, TCP_RESOURCE_PROBE_INTERVAL).
var unhurried = oracle.Keepalive{Idle: 2 * time.Second, Interval: time.Second, Count: 2}

var _ = Describe("A cable that is pulled", Rows("D1"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("takes the carrier only from the host at its end; keepalive on both sides notices",
			func(at scenarios.Place, clientsCarrier, serversCarrier bool) {
				lab := harness.New(GinkgoT(), harness.Routed, family)
				client, server := lab.Connect(5000)
				client.Keepalive(unhurried)
				server.Keepalive(unhurried)
				west, east := lab.Host("router-west"), lab.Host("router-east")

				lab.Apply(scenarios.CableOut{At: at})
				clientQuiet, serverQuiet := client.QuietSince(), server.QuietSince()

				Expect(lab.Client.Carrier(west)).To(Equal(clientsCarrier), "the client's carrier")
				Expect(lab.Server.Carrier(east)).To(Equal(serversCarrier), "the server's carrier")
				Expect(client).To(BeInState(sock.Established), "losing the carrier does not end a connection")
				AtOnce(
					func() { Expect(client).To(FailWith(unix.ETIMEDOUT, During(unhurried.Death(), clientQuiet))) },
					func() { Expect(server).To(FailWith(unix.ETIMEDOUT, During(unhurried.Death(), serverQuiet))) },
				)
			},
			Entry("at the client's end", Waits(4*time.Second), scenarios.ClientsEnd, false, true),
			Entry("in the middle: no host loses its carrier", Waits(4*time.Second), scenarios.Middle, true, true),
			Entry("at the server's end", Waits(4*time.Second), scenarios.ServersEnd, true, false),
		)
	})
})

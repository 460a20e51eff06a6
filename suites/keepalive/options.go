package keepalive

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

var _ = Describe("The values of keepalive", Rows("K7"), func() {
	EachFamily(func(family sock.Family) {
		It("are the host's sysctls, and keepalive is off by default", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, _ := lab.Connect(5000)

			Expect(client.Socket.Option(unix.SOL_SOCKET, unix.SO_KEEPALIVE)).To(BeZero(), "RFC 9293 §3.8.4: it MUST default to off")
			Expect(client.Socket.Option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)).To(Equal(int(oracle.Default().Idle / time.Second)))
			Expect(client.Socket.Option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)).To(Equal(int(oracle.Default().Interval / time.Second)))
			Expect(client.Socket.Option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT)).To(Equal(oracle.Default().Count))
		})

		It("belong to the network namespace: another host's sysctls change nothing", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			lab.Client.Sysctl("ipv4/tcp_keepalive_time", 77)
			client, server := lab.Connect(5000)

			Expect(client.Socket.Option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)).To(Equal(77))
			Expect(server.Socket.Option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)).To(Equal(7200))
		})

		It("are the sysctls if the socket has no values of its own", Waits(3*time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_keepalive_time", 1)
			lab.Client.Sysctl("ipv4/tcp_keepalive_intvl", 1)
			lab.Client.Sysctl("ipv4/tcp_keepalive_probes", 2)
			client, _ := lab.Connect(5000)
			client.Keepalive(oracle.Keepalive{})

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), quiet)))
		})

		It("are the socket's if it has values of its own, and not the sysctls", Waits(3*time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_keepalive_time", 3600)
			client, _ := lab.Connect(5000)
			Expect(client.Socket.Option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)).To(Equal(3600))
			client.Keepalive(k)

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			quiet := client.QuietSince()

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), quiet)))
		})

		It("take effect on a connection that has already been idle for longer: the first probe goes out at once", Waits(4*time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)
			client.Keepalive(oracle.Default())

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client).To(StayAlive(2 * time.Second))
			changed := time.Now()
			client.Keepalive(k)

			// One probe goes out now and one an interval later; after another interval the
			// connection ends.
			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.Around(2*k.Interval), changed).StartingBy(time.Now())))
		})

		It("count from the moment at which keepalive is switched on: the first probe goes out a whole idle time later, however long the connection was idle before", Waits(3*time.Second), func() {
			k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, _ := lab.Connect(5000)
			Expect(client).To(StayAlive(2*k.Idle), "it is idle for longer than the idle time")

			before := time.Now()
			client.Keepalive(k)
			switchedOn := time.Now()

			Expect(lab.Client).To(HaveSent(1, capture.KeepaliveProbe, During(oracle.Around(k.Idle), before).StartingBy(switchedOn)))
		})

		DescribeTable("have limits, beyond which setsockopt gives EINVAL",
			func(option, most int) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				client, _ := lab.Connect(5000)

				Expect(client.Socket.SetOption(unix.IPPROTO_TCP, option, most)).To(Succeed())
				Expect(client.Socket.Option(unix.IPPROTO_TCP, option)).To(Equal(most))
				Expect(client.Socket.SetOption(unix.IPPROTO_TCP, option, most+1)).To(MatchError(unix.EINVAL))
				Expect(client.Socket.SetOption(unix.IPPROTO_TCP, option, 0)).To(MatchError(unix.EINVAL))
			},
			Entry("TCP_KEEPIDLE: 32767 s", unix.TCP_KEEPIDLE, int(oracle.MaxKeepIdle/time.Second)),
			Entry("TCP_KEEPINTVL: 32767 s", unix.TCP_KEEPINTVL, int(oracle.MaxKeepInterval/time.Second)),
			Entry("TCP_KEEPCNT: 127 probes", unix.TCP_KEEPCNT, oracle.MaxKeepCount),
		)
	})
})

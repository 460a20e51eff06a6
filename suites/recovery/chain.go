package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

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

// chain has a firewall between the proxy and the server, so that the proxy keeps its carrier when
// the server's host dies.
var chain = harness.Topology{{{Name: "proxy", Role: harness.Proxy}, {Name: "firewall", Role: harness.Firewall}}}

// legs are the two connections of a proxy, as the proxy's kernel has them.
type legs struct{ towardsClient, towardsServer sock.Entry }

// legsOf returns the proxy's connections with the two ends.
func legsOf(lab *harness.Lab) (l legs) {
	GinkgoHelper()
	found := 0
	for _, e := range lab.ProxyHost().Sockets() {
		switch e.Remote.Addr() {
		case lab.Client.Address():
			l.towardsClient = e
			found++
		case lab.Server.Address():
			l.towardsServer = e
			found++
		}
	}
	Expect(found).To(Equal(2), "a connection with each end")
	return l
}

// proxyHeard returns when the proxy last received a segment from a host.
func proxyHeard(lab *harness.Lab, from *harness.Host) time.Time {
	GinkgoHelper()
	return WhenLast(lab.ProxyHost().Received(capture.Where("from "+from.Name(), func(p capture.Packet) bool { return p.Src.Addr() == from.Address() })))
}

var _ = Describe("A chain of client, proxy and server", Rows("R8"), func() {
	EachFamily(func(family sock.Family) {
		k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}

		// through connects the client to the server through a relay, and lets them talk.
		through := func(relay fixtures.Relay) (lab *harness.Lab, client, server *harness.Conn, proxy *harness.Program) {
			lab = harness.New(GinkgoT(), chain, family)
			relay.To, relay.Idle = lab.Server.AddressPort(port), never
			entrance := lab.ProxyHost().AddressPort(port)
			proxy = lab.ProxyHost().Start(relay.ServerCommand(entrance))
			proxy.Await(peer.Ready)
			listener := lab.Server.Listen(port, 1)
			client = lab.Client.NewSocket("client")
			client.MustConnect(entrance)
			server = listener.Accept("server")
			Talk(client, server)
			return lab, client, server, proxy
		}
		It("whose server dies is told to the client by FIN, if the proxy has keepalive on its leg towards the server", Waits(4*time.Second), func() {
			lab, client, _, proxy := through(fixtures.Relay{TowardsServer: k})
			Expect(legsOf(lab).towardsServer.Timer).To(Equal(sock.KeepaliveTimer))
			Expect(legsOf(lab).towardsClient.Timer).To(Equal(sock.NoTimer))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})

			Expect(client).To(ReadZero(During(k.Death(), proxyHeard(lab, lab.Server))))
			Expect(proxy).To(AnnounceErrno(fixtures.Failed, unix.ETIMEDOUT, Within(time.Second)))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty(), "nothing says why")
		})

		It("whose client dies is told to the server by FIN, if the proxy has keepalive on its leg towards the client", Waits(4*time.Second), func() {
			lab, _, server, proxy := through(fixtures.Relay{TowardsClient: k})
			Expect(legsOf(lab).towardsClient.Timer).To(Equal(sock.KeepaliveTimer))
			Expect(legsOf(lab).towardsServer.Timer).To(Equal(sock.NoTimer))

			lab.Apply(scenarios.PowerOff{Host: lab.Client})

			Expect(server).To(ReadZero(During(k.Death(), proxyHeard(lab, lab.Client))))
			Expect(proxy).To(AnnounceErrno(fixtures.Failed, unix.ETIMEDOUT, Within(time.Second)))
			Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
		})

		It("whose server dies is never told to the client by keepalive of the other leg, at whichever end", Waits(11*time.Second), func() {
			lab, client, _, _ := through(fixtures.Relay{TowardsClient: k})
			client.Keepalive(k)

			lab.Apply(scenarios.PowerOff{Host: lab.Server})

			Expect(client).To(StayAlive(3 * k.Death().Latest))
			Expect(len(lab.ProxyHost().Received(capture.KeepaliveProbe))).To(BeNumerically(">=", 5), "each of the client's is answered by the proxy")
			Expect(client.Entry().Unanswered).To(BeZero())
			Expect(legsOf(lab).towardsServer.State).To(Equal(sock.Established))
			Expect(lab.Server.States()).To(BeEmpty())
		})

		It("whose server dies under a request is told to the client after the proxy's retransmissions, not the client's user timeout", Waits(5*time.Second), func() {
			const retries = 2
			lab, client, _, proxy := through(fixtures.Relay{})
			lab.ProxyHost().Sysctl("ipv4/tcp_retries2", retries)
			Expect(client.Socket.SetUserTimeout(time.Second)).To(Succeed())
			giveUp := oracle.GiveUp(retries, legsOf(lab).towardsServer.RTO)
			Expect(giveUp.Earliest).To(BeNumerically(">", 2*time.Second), "longer than the client's user timeout")

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client.Write("a request")).To(Succeed())
			forwarded := capture.All(capture.Data, capture.Original, capture.Where("to the server", func(p capture.Packet) bool { return p.Dst.Addr() == lab.Server.Address() }))
			Expect(lab.ProxyHost()).To(HaveSent(2, forwarded, Within(time.Second)))
			sent := WhenLast(lab.ProxyHost().Sent(forwarded))
			Eventually(func() int { return client.Entry().Queues.Sent }).WithTimeout(time.Second).Should(BeZero(), "the proxy's kernel has acknowledged the request")
			Expect(legsOf(lab).towardsServer.Queues.Sent).To(Equal(len("a request")))

			Expect(client).To(ReadZero(During(giveUp, sent)))
			Expect(proxy).To(AnnounceErrno(fixtures.Failed, unix.ETIMEDOUT, Within(time.Second)))
		})
	})
})

// Go switches keepalive on for each connection that it opens or accepts, with an idle time of
// 15 s, an interval of 15 s and 9 probes (net.KeepAliveConfig).
var _ = Describe("A chain through toxiproxy, a program of Go", Rows("R8"), func() {
	EachFamily(func(family sock.Family) {
		goes := oracle.Keepalive{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}

		talking := func() (lab *harness.Lab, client, server *harness.Conn) {
			lab = harness.New(GinkgoT(), chain, family)
			client, server = lab.Connect(port)
			Talk(client, server)
			Expect(legsOf(lab).towardsClient.Timer).To(Equal(sock.KeepaliveTimer))
			Expect(legsOf(lab).towardsServer.Timer).To(Equal(sock.KeepaliveTimer))
			return lab, client, server
		}

		It("tells the client of the server's death by FIN after 150 s", Waits(170*time.Second), func() {
			lab, client, _ := talking()

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			died := time.Now()

			Expect(client).To(ReadZero(During(goes.Death(), died).StartingBy(time.Now())))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})

		It("tells the server of the client's death by FIN after 150 s", Waits(170*time.Second), func() {
			lab, _, server := talking()

			lab.Apply(scenarios.PowerOff{Host: lab.Client})
			died := time.Now()

			Expect(server).To(ReadZero(During(goes.Death(), died).StartingBy(time.Now())))
			Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
		})
	})
})

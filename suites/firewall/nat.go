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
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A NAT that forgets a mapping", Rows("F7"), func() {
	EachFamily(func(family sock.Family) {
		It("and maps the flow to another port: the server resets the stranger and keeps the ghost", func() {
			newPorts := firewall.PortRange{First: 61000, Last: 61999}
			lab := harness.New(GinkgoT(), harness.NATed, family)
			client, server := lab.Connect(5000)
			Expect(server.Remote().Addr()).NotTo(Equal(client.Local().Addr()), "the NAT hides the client")
			Say(client, server, "hello")

			lab.Apply(scenarios.NATRebinding{Client: client, Ports: newPorts})
			Expect(client.Write("me again")).To(Succeed())

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(server).To(BeInState(sock.Established), "the ghost: its client will never send again")
			stranger := lab.Server.Received(capture.Data)[1]
			Expect(stranger.Src.Port()).To(And(BeNumerically(">=", newPorts.First), BeNumerically("<=", newPorts.Last)))
			Expect(lab.Server.Sent(capture.RST)).To(HaveLen(1))
			Expect(lab.Server.Sent(capture.RST)[0].Dst).To(Equal(stranger.Src))
		})

		// Whatever its sequence number, a SYN in ESTABLISHED draws a challenge ACK (RFC 5961
		// §4.2). That ACK acknowledges nothing that the new client has sent, so the client
		// answers with RST (RFC 9293 §3.10.7.3), and the RST has the sequence number that the
		// ghost expects. Linux then sends the next SYN after two ticks and not after a second
		// (net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process: TCP_TIMEOUT_MIN).
		It("and gives the port to another client, whose SYN meets the ghost: the ghost ends, and the next SYN connects", func() {
			lab := harness.New(GinkgoT(), harness.NATed, family)
			listener := lab.Server.Listen(5000, 1)
			silent := lab.Dial(5000)
			ghost := listener.Accept("ghost")
			port := ghost.Remote().Port()

			lab.Apply(scenarios.NATRebinding{Client: silent, Ports: firewall.PortRange{First: port, Last: port}})
			other := lab.Client.NewSocket("other client")
			asked := capture.After(time.Now())
			Expect(other.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))

			Expect(ghost).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			challenge := lab.Client.Received(capture.All(capture.ACK, asked))[0]
			Expect(challenge.SYN).To(BeFalse(), "it is an ACK and not a SYN-ACK")
			Expect(lab.Client.SentBy(other, capture.RST)).To(HaveLen(1), "the answer to the ACK")
			Expect(other).To(EnterState(sock.Established, Within(time.Second)))
			syns := lab.Client.SentBy(other, capture.SYN)
			Expect(syns).To(HaveLen(2))
			Expect(syns[1].At.Sub(syns[0].At)).To(BeNumerically("<", oracle.SYNs(0, 1)[1]))
			Expect(listener.Accept("server").Remote().Port()).To(Equal(port), "the ghost's port")
		})
	})
})

package presets

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

const (
	margin  = 500 * time.Millisecond // how long before and after a timeout the specs look
	retries = 2                      // tcp_retries2, so that the client gives up in seconds
)

// box is a lab whose firewall plays a preset, with connections that began together.
type box struct {
	*harness.Lab
	preset         presets.Preset
	client, server *harness.Conn // idle, without keepalive

	// The ends of an idle connection with keepalive that is quick enough; nil if no source
	// says that probes keep the flow.
	probed, probedServer *harness.Conn
	others               []other
}

// other is an idle flow with keepalive settings that people use.
type other struct {
	oracle.Keepalive
	from, to netip.AddrPort
}

func behind(p presets.Preset) *box {
	GinkgoHelper()
	b := &box{Lab: harness.New(GinkgoT(), harness.Firewalled, sock.IPv4), preset: p}
	b.Apply(scenarios.Middlebox{Preset: p})
	if p.ProbesRefresh == presets.Yes {
		b.probed, b.probedServer = b.Connect(5001)
		b.probed.Keepalive(probes(p))
		for i, k := range []oracle.Keepalive{{Idle: 600 * time.Second, Interval: 30 * time.Second, Count: 10}, oracle.Default()} {
			client, _ := b.Connect(uint16(5010 + i))
			client.Keepalive(k)
			Expect(client.Entry().Timer).To(Equal(sock.KeepaliveTimer), "keepalive is on")
			b.others = append(b.others, other{k, client.Local(), client.Remote()})
		}
	}
	b.client, b.server = b.Connect(5000)
	return b
}

// expire waits until just after the timeout of the idle connection. A younger connection is
// then just before its timeout, and still works.
func (b *box) expire() {
	GinkgoHelper()
	time.Sleep(2 * margin)
	younger, youngerPeer := b.Connect(5002)
	time.Sleep(time.Until(younger.QuietSince().Add(b.preset.Idle - margin)))
	Expect(b.Knows(younger.Local(), younger.Remote())).To(BeTrue(), "just before the timeout")
	Talk(younger, youngerPeer)
	Expect(b.Knows(b.client.Local(), b.client.Remote())).To(BeFalse(), "just after the timeout")
	Expect(b.client).To(BeInState(sock.Established))
	Expect(b.server).To(BeInState(sock.Established))
}

// expectProbedAlive checks what a source says about keepalive: a connection as old as the
// forgotten one is known, and works.
func (b *box) expectProbedAlive() {
	GinkgoHelper()
	if b.probed == nil {
		return
	}
	Expect(b.Knows(b.probed.Local(), b.probed.Remote())).To(BeTrue(), "keepalive probes keep the flow")
	Talk(b.probed, b.probedServer)
	for _, o := range b.others {
		switch first := oracle.Around(o.Idle); {
		case first.Latest < b.preset.Idle:
			Expect(b.Knows(o.from, o.to)).To(BeTrue(), "%v: the first probe comes before the timeout", o.Keepalive)
		case first.Earliest > b.preset.Idle:
			Expect(b.Knows(o.from, o.to)).To(BeFalse(), "%v: the first probe comes after the timeout", o.Keepalive)
		}
	}
}

func expectSilentDrop(p presets.Preset) {
	GinkgoHelper()
	b := behind(p)
	b.Client.Sysctl("ipv4/tcp_retries2", retries)
	b.expire()
	b.expectProbedAlive()

	rto := b.client.RTO()
	Expect(b.client.Write("too late")).To(Succeed())
	Expect(b.client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), b.client.LastSent())))
	Expect(b.server).To(BeInState(sock.Established), "half-open: only one end knows")
	Expect(b.Client.Received(capture.RST)).To(BeEmpty())
	Expect(b.Server.Received(capture.RST)).To(BeEmpty())
}

var _ = Describe("The preset of a middlebox", Rows("F11"), func() {
	DescribeTable("that drops silently: the next sender retransmits in vain", expectSilentDrop, entries(presets.SilentDrop))

	DescribeTable("for which no source says what follows: it is played as a silent drop", expectSilentDrop, entries(presets.NotStated))

	DescribeTable("that resets the next sender: the other end is half-open", func(p presets.Preset) {
		b := behind(p)
		b.expire()
		b.expectProbedAlive()

		Expect(b.client.Write("late")).To(Succeed())
		Expect(b.client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		Expect(b.server).To(BeInState(sock.Established), "half-open: only one end knows")
		Expect(b.Server.Received(capture.RST)).To(BeEmpty())
	}, entries(presets.ResetSender))

	DescribeTable("that resets both ends the moment the timer expires", func(p presets.Preset) {
		b := behind(p)
		quiet := b.client.QuietSince()
		fromServer, fromClient := capture.From(b.client.Remote()), capture.From(b.server.Remote())

		AtOnce(
			func() { Expect(b.client).To(FailWith(unix.ECONNRESET, During(oracle.Around(p.Idle), quiet))) },
			func() { Expect(b.server).To(FailWith(unix.ECONNRESET, During(oracle.Around(p.Idle), quiet))) },
		)
		Expect(b.Client.Received(capture.All(capture.RST, fromServer))).To(HaveLen(1))
		Expect(b.Server.Received(capture.All(capture.RST, fromClient))).To(HaveLen(1))
		b.expectProbedAlive()
	}, entries(presets.ResetBoth))

	DescribeTable("that sends both ends a stale RST, which they ignore", func(p presets.Preset) {
		b := behind(p)
		Talk(b.client, b.server)
		b.expire()

		b.Apply(scenarios.ForgedReset{To: scenarios.End(b.client), Number: scenarios.Stale})
		b.Apply(scenarios.ForgedReset{To: scenarios.End(b.server), Number: scenarios.Stale})

		Expect(b.Lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
		Expect(b.Lab.Server).To(HaveReceived(1, capture.RST, Within(time.Second)))
		Expect(b.client).To(StayAlive(time.Second))
		Expect(b.server).To(StayAlive(time.Second))
	}, entries(presets.StaleReset))

	DescribeTable("that takes the next packet for a new flow: nobody notices", func(p presets.Preset) {
		b := behind(p)
		b.expire()
		b.expectProbedAlive()

		Talk(b.client, b.server)
		Expect(b.Knows(b.client.Local(), b.client.Remote())).To(BeTrue(), "a packet in mid-flow has made a new entry")
	}, entries(presets.PickUp))

	DescribeTable("that takes the next packet from inside for a new flow, and until then drops packets from outside", func(p presets.Preset) {
		b := behind(p)
		b.expire()
		b.expectProbedAlive()

		Expect(b.server.Write("from outside")).To(Succeed())
		Expect(b.client).To(StayAlive(time.Second))
		Say(b.client, b.server, "from inside")
		Expect(b.client).To(BeReadable(Within(2*time.Second)), "the retransmission arrives")
		Expect(b.client.Read()).To(Equal("from outside"))
	}, entries(presets.PickUpOutbound))
})

// Package proxied contains the specs of what toxiproxy does on the wire: what its toxics look
// like to the two ends, and what any L4 proxy changes. What a proxy hides from keepalive,
// from a half-close and from a full backlog is in the packages of those families.
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
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

const port = 5000

// talking returns a client and a server after a word has passed through the proxy.
func talking(lab *harness.Lab) (client, server *harness.Conn) {
	GinkgoHelper()
	client, server = lab.Connect(port)
	Say(server, client, "hello")
	return client, server
}

var _ = Describe("Toxiproxy's timeout", func() {
	EachFamily(func(family sock.Family) {
		It("closes an idle connection at both ends, with FIN", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)

			began := time.Now()
			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.Timeout{After: time.Second}, Live: true})
			applied := time.Now()

			Expect(client).To(ReadZero(During(oracle.Around(time.Second), began).StartingBy(applied)))
			Expect(server).To(ReadZero(Within(time.Second)))
		})

		It("never expires while data arrives: each chunk restarts it, and is lost", Waits(5*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)

			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.Timeout{After: 3 * time.Second}, Live: true})

			for range 17 {
				Expect(server.Write("lost")).To(Succeed())
				Expect(client).To(StayAlive(300 * time.Millisecond))
			}
		})

		It("of zero drops one direction for as long as it is set, and closes the connection when it is removed", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)
			blackHole := scenarios.Toxic{Port: port, Toxic: proxy.Timeout{}, Live: true}

			lab.Apply(blackHole)
			Expect(server.Write("lost")).To(Succeed())
			Expect(client).To(StayAlive(500 * time.Millisecond))
			Say(client, server, "the other direction")

			lab.Heal(blackHole)
			Expect(client).To(ReadZero(Within(time.Second)), "the lost data stays lost")
			Expect(server).To(ReadZero(Within(time.Second)))
		})
	})
})

var _ = Describe("Toxiproxy's bandwidth of zero", func() {
	EachFamily(func(family sock.Family) {
		It("stalls the connection and loses nothing: when it is removed, the data that it held arrives", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)
			stall := scenarios.Toxic{Port: port, Toxic: proxy.Bandwidth{}, Live: true}

			lab.Apply(stall)
			Expect(server.Write("held")).To(Succeed())
			Expect(client).To(StayAlive(500 * time.Millisecond))
			lab.Heal(stall)

			Expect(client.Read()).To(Equal("held"))
		})
	})
})

var _ = Describe("Toxiproxy's reset_peer", func() {
	EachFamily(func(family sock.Family) {
		It("set before the connection, resets both ends at a delay after the first byte", Waits(3*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.ResetPeer{After: 2 * time.Second}})
			client, server := lab.Connect(port)
			Expect(client).To(StayAlive(time.Second), "an idle connection is never reset")

			sent := time.Now()
			Expect(server.Write("the first byte")).To(Succeed())

			Expect(client).To(FailWith(unix.ECONNRESET, During(oracle.Around(2*time.Second), sent)))
			Expect(server).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		})

		It("set on a live connection, closes it with FIN instead", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := talking(lab)

			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.ResetPeer{}, Live: true})
			Expect(server.Write("the first byte")).To(Succeed())

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})

		It("of toxicity 0 still turns a FIN into an RST", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.ResetPeer{Toxicity: new(0.0)}})
			client, server := talking(lab)

			server.Close()

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		})
	})
})

var _ = Describe("Toxiproxy's limit_data", func() {
	EachFamily(func(family sock.Family) {
		It("lets a number of bytes through and then closes both ends, with FIN", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.LimitData{Bytes: 4}})
			client, server := lab.Connect(port)

			Expect(server.Write("too much")).To(Succeed())

			Expect(client.ReadAll(4)).To(Equal("too "))
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(server).To(ReadZero(Within(time.Second)))
		})
	})
})

var _ = Describe("Toxiproxy's slow_close", func() {
	EachFamily(func(family sock.Family) {
		It("delays the close", Waits(2*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.SlowClose{Delay: 2 * time.Second}})
			client, server := talking(lab)

			server.Close()
			Expect(lab.Server).To(HaveSent(1, capture.FIN, Within(time.Second)))
			fin := lab.Server.Sent(capture.FIN)[0].At

			Expect(client).To(ReadZero(During(oracle.Around(2*time.Second), fin)))
		})
	})
})

var _ = Describe("Toxiproxy's latency", func() {
	EachFamily(func(family sock.Family) {
		It("delays only the data of one direction", Waits(2*time.Second), func() {
			const delay = 2 * time.Second
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			lab.Apply(scenarios.Toxic{Port: port, Toxic: proxy.Latency{Delay: delay}})
			client, server := lab.Connect(port)

			sent := time.Now()
			Expect(server.Write("late")).To(Succeed())
			Expect(client).To(BeReadable(During(oracle.Around(delay), sent)))

			Expect(client.Read()).To(Equal("late"))
			Expect(client.Write("prompt")).To(Succeed())
			Expect(server).To(BeReadable(Within(delay / 2)))
		})
	})
})

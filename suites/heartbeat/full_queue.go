package heartbeat

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

var _ = Describe("Heartbeats in the send queue", Rows("H10"), func() {
	EachFamily(func(family sock.Family) {
		It("do not get through if the queue is full: a server that waits for them would declare the living client dead", Waits(4*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)

			lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})
			stalled := time.Now()
			for time.Since(stalled) <= timeout+2*interval {
				Expect(client.Write(".")).To(MatchError(unix.EAGAIN))
				Expect(server.Write(".")).To(Succeed())
				Expect(client.Read()).To(Equal("."), "the client hears the server, and takes it for alive")
				time.Sleep(interval)
			}

			late := capture.After(stalled)
			Expect(lab.Server.Received(capture.All(capture.Data, late))).To(BeEmpty(), "the server has heard no heartbeat for longer than the timeout")
			Expect(lab.Client.Received(capture.All(capture.ZeroWindow, late))).NotTo(BeEmpty(), "the server's kernel lives, and answers")
			Expect(client).To(BeInState(sock.Established))
			Expect(server).To(BeInState(sock.Established))
		})

		It("are accepted while the queue has room, even if the peer is dead: a client that counts successful writes takes the dead server for alive until retransmission gives up", Waits(17*time.Second), func() {
			const retries = 5
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)
			Say(client, server, ".")

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			rto := client.RTO()
			Expect(client.Write(".")).To(Succeed())
			first := client.LastSent()
			end := oracle.GiveUp(retries, rto)
			Expect(end.Earliest).To(BeNumerically(">", 5*timeout))
			for time.Since(first) < end.Earliest-2*interval {
				Expect(client.Write(".")).To(Succeed())
				time.Sleep(interval)
			}

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(end, first)))
			Expect(client.Write(".")).To(MatchError(unix.EPIPE))
		})
	})
})

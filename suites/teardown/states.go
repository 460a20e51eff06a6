// Package teardown contains the specs of opening and closing: the states of both ends beside
// the packets, and what is left when a program has gone: rows T1 to T7 of the catalogue.
package teardown

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// soon bounds the wait for the next retransmission, which continues a handshake or a close
// when packets get through again. The exact time does not matter here; it grows with the
// time for which packets were held.
var soon = Within(10 * time.Second)

// Dropping one direction holds the exchange at a step for as long as the spec looks.
var (
	holdAnswers  = scenarios.SilentDrop{Direction: scenarios.TowardsClient}
	holdRequests = scenarios.SilentDrop{Direction: scenarios.TowardsServer}
)

var _ = Describe("The states of both ends", Rows("T1"), func() {
	EachFamily(func(family sock.Family) {
		It("while a connection is opened and closed, beside the packets", Waits(4*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			listener := lab.Server.Listen(5000, 1)
			client := lab.Client.NewSocket("client")

			By("SYN")
			lab.Apply(holdAnswers)
			Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
			Expect(client).To(BeInState(sock.SynSent))
			Eventually(lab.Server.States).WithTimeout(time.Second).Should(ConsistOf(sock.Listening, sock.SynReceived))
			Expect(lab.Server.Received(capture.SYN)).NotTo(BeEmpty())

			By("SYN-ACK, ACK")
			lab.Heal(holdAnswers)
			Expect(client).To(EnterState(sock.Established, soon))
			server := listener.Accept("server")
			Expect(server).To(BeInState(sock.Established))

			By("FIN")
			lab.Apply(holdRequests)
			client.CloseWrite()
			Expect(client).To(BeInState(sock.FinWait1))
			Expect(server).To(BeInState(sock.Established))

			By("ACK")
			lab.Heal(holdRequests)
			Expect(client).To(EnterState(sock.FinWait2, soon))
			Expect(server).To(BeInState(sock.CloseWait))

			By("FIN of the other side")
			lab.Apply(holdAnswers)
			serversEntry, clientsEntry := server.TableEntry(), client.TableEntry()
			server.CloseWrite()
			Expect(serversEntry).To(BeInState(sock.LastAck))
			Expect(client).To(BeInState(sock.FinWait2))

			By("ACK")
			lab.Heal(holdAnswers)
			Expect(serversEntry).To(EnterState(sock.Closed, soon))
			Expect(clientsEntry).To(BeInState(sock.TimeWait))

			Expect(lab.Client.Received(capture.SYNACK)).NotTo(BeEmpty())
			Expect(lab.Client.Received(capture.FIN)).To(HaveLen(1))
			Expect(lab.Server.Received(capture.FIN)).To(HaveLen(1))
			Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
		})
	})
})

var _ = Describe("Two ends that do the same at the same time", Rows("T3"), func() {
	EachFamily(func(family sock.Family) {
		It("open one connection without a listener: each sends SYN", Waits(2*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Client.NewSocket("client"), lab.Server.NewSocket("server")
			clientAddress, serverAddress := lab.Client.AddressPort(5001), lab.Server.AddressPort(5002)
			Expect(client.Socket.Bind(clientAddress)).To(Succeed())
			Expect(server.Socket.Bind(serverAddress)).To(Succeed())

			lab.Apply(holdAnswers)
			Expect(server.Connect(clientAddress)).To(MatchError(unix.EINPROGRESS))
			Expect(server).To(BeInState(sock.SynSent))
			Expect(client.Connect(serverAddress)).To(MatchError(unix.EINPROGRESS))
			Expect(server).To(EnterState(sock.SynReceived, Within(time.Second)), "a SYN instead of a SYN-ACK")
			lab.Heal(holdAnswers)

			Expect(client).To(EnterState(sock.Established, soon))
			Expect(server).To(EnterState(sock.Established, soon))
			Say(client, server, "hello")
		})

		It("close: CLOSING until the ACK arrives, and then TIME_WAIT at both ends", Waits(2*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client, server := lab.Connect(5000)
			clientsEntry, serversEntry := client.TableEntry(), server.TableEntry()

			both := scenarios.SilentDrop{}
			lab.Apply(both)
			client.CloseWrite()
			server.CloseWrite()
			Expect(client).To(BeInState(sock.FinWait1))
			Expect(server).To(BeInState(sock.FinWait1))

			lab.Apply(holdAnswers)
			lab.Heal(both)
			Expect(server).To(EnterState(sock.Closing, soon), "a FIN has arrived before the ACK of its own")
			lab.Heal(holdAnswers)

			Expect(clientsEntry).To(EnterState(sock.TimeWait, soon))
			Expect(serversEntry).To(EnterState(sock.TimeWait, soon))
		})
	})
})

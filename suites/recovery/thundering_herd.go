package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Many clients that return to a service at the same instant", Rows("R3"), func() {
	EachFamily(func(family sock.Family) {
		It("fill its accept queue while it starts: those beyond it get in later, with a retransmission", Waits(6*time.Second), func() {
			// The service accepts between the retransmissions of the clients that believe that they
			// are connected, which are due 0.2, 0.4 and 0.8 s after the handshake (row B1).
			const clients, backlog, startup = 20, 4, 1500 * time.Millisecond
			reconnect := oracle.Reconnection{Backoff: time.Second}
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Responder{})
			herd := lab.StartClient(port, fixtures.Requester{Clients: clients, Interval: never, Reconnect: reconnect})
			Eventually(func() []int { return numbers(herd, fixtures.Answered) }).WithTimeout(time.Second).Should(HaveLen(clients))

			lab.Apply(scenarios.ProcessKilled{Program: server})
			lost := herd.Await(fixtures.Lost).At
			service := lab.Server.Start(fixtures.Responder{Backlog: backlog, Startup: startup}.ServerCommand(lab.Server.AddressPort(port)))
			started := service.Await(fixtures.Starting).At
			Expect(started).To(BeTemporally("<", lost.Add(reconnect.Backoff)), "before the clients are back")

			// Twenty SYNs arrive before the first handshake is complete, so some clients beyond the
			// queue believe that they are connected (row B1). All others hang in SYN-SENT.
			time.Sleep(time.Until(lost.Add(reconnect.Backoff + 100*time.Millisecond)))
			Expect(listening(lab.Server).Queues.Received).To(Equal(backlog+1), "the accept queue")
			hanging := lab.Client.Count(sock.SynSent)
			Expect(hanging).To(BeNumerically(">", 0))
			Expect(hanging + lab.Client.Count(sock.Established)).To(Equal(clients))
			Expect(numbers(herd, fixtures.Answered)).To(HaveLen(clients), "nobody is served yet")

			accepts := service.Await(peer.Ready).At
			syns := oracle.SYNs(lab.Client.LinearSYNTimeouts(), oracle.SYNRetries)
			Eventually(func() []int { return numbers(herd, fixtures.Answered) }).WithTimeout(oracle.Around(syns[3]).Latest).Should(HaveLen(2 * clients))
			soon, late := 0, 0
			for _, answer := range all(herd, fixtures.Answered)[clients:] {
				if answer.At.Before(accepts.Add(100 * time.Millisecond)) {
					soon++
				}
			}
			Expect(soon).To(Equal(backlog+1), "those that were in the queue")
			for _, again := range all(herd, fixtures.Reconnected) {
				if again.For >= syns[1]/2 {
					Expect(again.For).To(BeNumerically(">=", oracle.Around(syns[1]).Earliest), "its second SYN or a later one")
					late++
				}
			}
			Expect(late).To(Equal(hanging))
			Expect(all(service, fixtures.Doubled)).To(BeEmpty())
		})
	})
})

// listening returns the only listening socket of a host.
func listening(h *harness.Host) sock.Entry {
	GinkgoHelper()
	for _, e := range h.Sockets() {
		if e.State == sock.Listening {
			return e
		}
	}
	Fail("nobody listens")
	return sock.Entry{}
}

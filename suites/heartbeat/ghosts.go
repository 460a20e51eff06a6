package heartbeat

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The server listens and says nothing: to what a server sends, a client's host that
// is up again would answer with RST.
var _ = Describe("A client that dies and returns before its server has noticed", Rows("H4"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("leaves ghosts in ESTABLISHED: as many as it dies times while one death goes unnoticed",
			func(every, timeout, interval time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.StartServer(5000, fixtures.Reaper{Timeout: timeout})
				cut := scenarios.PowerOff{Host: lab.Client}

				var deaths []time.Time // when the server heard each of the dead last
				silentBelow := func(limit time.Duration) (n int) {
					for _, heard := range deaths {
						if time.Since(heard) < limit {
							n++
						}
					}
					return n
				}
				most, next := 0, time.Now().Add(every)
				for len(deaths) < oracle.Ghosts(every, timeout)+2 {
					if len(deaths) > 0 {
						lab.Heal(cut)
					}
					returning := capture.After(time.Now())
					lab.StartClient(5000, fixtures.Heartbeat{Interval: interval, Timeout: never})
					Expect(lab.Server).To(HaveReceived(1, capture.All(capture.Data, returning), Within(every)))
					time.Sleep(time.Until(next))

					noMoreThan := silentBelow(oracle.Silence(timeout, interval).Latest) + 1
					established := lab.Server.Count(sock.Established)
					atLeast := silentBelow(timeout) + 1
					Expect(established).To(And(BeNumerically(">=", atLeast), BeNumerically("<=", noMoreThan)), "the dead that were not noticed yet, and the one that dies next")
					most = max(most, established)

					lab.Apply(cut)
					deaths = append(deaths, lab.LastData(lab.Server))
					next = deaths[len(deaths)-1].Add(every)
					Expect(lab.Client.States()).To(BeEmpty(), "the client knows nothing of its connections")
				}

				Expect(most).To(Equal(oracle.Ghosts(every, timeout)))
			},
			returning(2*time.Second, time.Second, 100*time.Millisecond),
			returning(3*time.Second, 4500*time.Millisecond, 250*time.Millisecond),
			returning(2*time.Hour, 5*time.Hour, 5*time.Minute),
		)

		// meter is the client in the specs below: it says who it is.
		meter := fixtures.Heartbeat{Interval: 100 * time.Millisecond, Name: "meter 7", Timeout: never}

		// The server has descriptors for two connections.
		twoGhosts := func(reaper fixtures.Reaper) (*harness.Lab, *harness.Program) {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			reaper.Descriptors = 2
			server := lab.StartServer(5000, reaper)
			cut := scenarios.PowerOff{Host: lab.Client}
			for range 2 {
				lab.StartClient(5000, meter)
				time.Sleep(time.Second)
				lab.Apply(cut)
				Expect(lab.Client.States()).To(BeEmpty(), "the client knows nothing of its connections")
				lab.Heal(cut)
			}
			return lab, server
		}
		accepted := func(server *harness.Program) (n int) {
			for _, e := range server.Events() {
				if e.Name == fixtures.Accepted {
					n++
				}
			}
			return n
		}

		It("cannot get in once its ghosts have taken all that the server has", Waits(3*time.Second), func() {
			lab, server := twoGhosts(fixtures.Reaper{Timeout: never})
			Expect(lab.Server.Count(sock.Established)).To(Equal(2))

			lab.StartClient(5000, fixtures.Heartbeat{Name: "meter 7", Timeout: never})

			Expect(server).To(Announce(fixtures.Full, Within(time.Second)))
			time.Sleep(time.Second)
			Expect(accepted(server)).To(Equal(2), "it waits in the accept queue, and believes that it is served")
			Expect(lab.Client.Count(sock.Established)).To(Equal(1))
		})

		It("gets in when the server notices faster than the client returns", Waits(3*time.Second), func() {
			lab, server := twoGhosts(fixtures.Reaper{Timeout: 500 * time.Millisecond})

			lab.StartClient(5000, meter)

			Eventually(func() int { return accepted(server) }).WithTimeout(time.Second).Should(Equal(3))
			Expect(server).To(GoWithout(fixtures.Full, 200*time.Millisecond))
			Eventually(func() int { return lab.Server.Count(sock.Established) }).WithTimeout(time.Second).Should(Equal(1), "the client that lives")
		})

		It("gets in when it says who it is, and the server drops the older connection of that name", Waits(3*time.Second), func() {
			lab, server := twoGhosts(fixtures.Reaper{Timeout: never, Takeover: true})
			Expect(server).To(Announce(fixtures.Replaced, Within(time.Second)))

			lab.StartClient(5000, fixtures.Heartbeat{Name: "meter 7", Timeout: never})

			Eventually(func() int { return accepted(server) }).WithTimeout(time.Second).Should(Equal(3))
			Eventually(func() int { return lab.Server.Count(sock.Established) }).WithTimeout(time.Second).Should(Equal(1), "the client that lives")
			Expect(server).To(GoWithout(fixtures.Full, 200*time.Millisecond))
		})

		It("finds no ghost when it returns after the server has noticed: where the server sends, TCP_USER_TIMEOUT ends what nobody acknowledges", Waits(3*time.Second), func() {
			const userTimeout = 2 * time.Second
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			_, server := lab.Connect(5000)
			server.UserTimeout(userTimeout)

			cut := scenarios.PowerOff{Host: lab.Client}
			lab.Apply(cut)
			rto := server.RTO()
			Expect(server.Write("the server's heartbeat")).To(Succeed())

			Expect(server).To(FailWith(unix.ETIMEDOUT, During(oracle.UserTimeout(userTimeout, rto), server.LastSent())))
			lab.Heal(cut)
			lab.Connect(5001)
			Expect(lab.Server.Count(sock.Established)).To(Equal(1), "the client that lives")
		})
	})
})

// returning is an entry for a client that returns every so often.
func returning(every, timeout, interval time.Duration) TableEntry {
	return Entry(fmt.Sprintf("every %v, noticed after %v", every, timeout),
		Waits(time.Duration(oracle.Ghosts(every, timeout)+2)*every), every, timeout, interval)
}

var _ = Describe("Clients whose programs are killed: FIN comes", Rows("H4"), func() {
	EachFamily(func(family sock.Family) {
		// Each has sent before it is killed: the ACK of a FIN is delayed then, mostly until
		// after the close (net/ipv4/tcp_input.c, tcp_fin).
		killed := func(lab *harness.Lab) {
			GinkgoHelper()
			for clients := range 3 {
				client := lab.StartClient(5000, fixtures.Heartbeat{Interval: never, Timeout: never})
				Expect(lab.Server).To(HaveReceived(clients+1, capture.All(capture.Data, capture.Original), Within(time.Second)), "its one heartbeat")
				lab.Apply(scenarios.ProcessKilled{Program: client})
			}
			Expect(lab.Server).To(HaveReceived(3, capture.All(capture.FIN, capture.Original), Within(time.Second)))
		}

		DescribeTable("leave ghosts in CLOSE_WAIT for ever where the server does not close",
			func(forEver, finTimeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_fin_timeout", int(finTimeout/time.Second))
				lab.StartServer(5000, fixtures.Hold{})

				killed(lab)
				time.Sleep(forEver)

				// A FIN whose ACK comes while close(2) has the socket ends with RST after
				// tcp_fin_timeout (net/ipv4/tcp_input.c, tcp_rcv_state_process, "bad case").
				ghosts := 3 - len(lab.Server.Received(capture.RST))
				Expect(lab.Server.Count(sock.CloseWait)).To(And(Equal(ghosts), BeNumerically(">", 0)))
				Expect(lab.Client.States()).To(BeEmpty(), "the other side has forgotten them")
			},
			Entry("3 s", Waits(3*time.Second), 3*time.Second, 2*time.Second),
			Entry("72 h", Waits(72*time.Hour), 72*time.Hour, oracle.FinTimeout),
		)

		It("leave no ghost where the server reads the zero-read", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.StartServer(5000, fixtures.ReadLoop{})

			killed(lab)

			Eventually(lab.Server.States).WithTimeout(time.Second).Should(ConsistOf(sock.Listening))
		})
	})
})

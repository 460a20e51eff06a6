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

// The server sends nothing: a client's host that has rebooted would answer with RST, and the
// ghost would be gone.
var _ = Describe("A client that dies and returns before its server has noticed", Rows("H4"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("leaves ghosts in ESTABLISHED: one for each death until the first one is noticed",
			func(every, timeout, interval time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.StartServer(5000, fixtures.Reaper{Timeout: timeout})
				cut := scenarios.PowerOff{Host: lab.Client}

				var deaths []time.Time // when the server last heard each dead client
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
					Expect(established).To(And(BeNumerically(">=", atLeast), BeNumerically("<=", noMoreThan)), "the deaths that are not noticed yet, and the client that dies next")
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

		// meter is the client in the specs below. It sends its name.
		meter := fixtures.Heartbeat{Interval: 100 * time.Millisecond, Name: "meter 7", Timeout: never}

		// twoGhosts starts a server with descriptors for two connections, and lets the client
		// die twice.
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

		It("cannot get in when its ghosts have used up the server's descriptors", Waits(3*time.Second), func() {
			lab, server := twoGhosts(fixtures.Reaper{Timeout: never})
			Expect(lab.Server.Count(sock.Established)).To(Equal(2))

			lab.StartClient(5000, fixtures.Heartbeat{Name: "meter 7", Timeout: never})

			Expect(server).To(Announce(fixtures.Full, Within(time.Second)))
			time.Sleep(time.Second)
			Expect(accepted(server)).To(Equal(2), "the client waits in the accept queue, and believes that it is served")
			Expect(lab.Client.Count(sock.Established)).To(Equal(1))
		})

		It("gets in if the server notices a death before the client returns", Waits(3*time.Second), func() {
			lab, server := twoGhosts(fixtures.Reaper{Timeout: 500 * time.Millisecond})

			lab.StartClient(5000, meter)

			Eventually(func() int { return accepted(server) }).WithTimeout(time.Second).Should(Equal(3))
			Expect(server).To(GoWithout(fixtures.Full, 200*time.Millisecond))
			Eventually(func() int { return lab.Server.Count(sock.Established) }).WithTimeout(time.Second).Should(Equal(1), "the living client")
		})

		It("gets in if it sends its name, and the server aborts the older connection with that name", Waits(3*time.Second), func() {
			lab, server := twoGhosts(fixtures.Reaper{Timeout: never, Takeover: true})
			Expect(server).To(Announce(fixtures.Replaced, Within(time.Second)))

			lab.StartClient(5000, fixtures.Heartbeat{Name: "meter 7", Timeout: never})

			Eventually(func() int { return accepted(server) }).WithTimeout(time.Second).Should(Equal(3))
			Eventually(func() int { return lab.Server.Count(sock.Established) }).WithTimeout(time.Second).Should(Equal(1), "the living client")
			Expect(server).To(GoWithout(fixtures.Full, 200*time.Millisecond))
		})

		It("leaves no ghost if it returns after the server has noticed: the server sends, and TCP_USER_TIMEOUT ends the connection on which nobody acknowledges", Waits(3*time.Second), func() {
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
			Expect(lab.Server.Count(sock.Established)).To(Equal(1), "the living client")
		})
	})
})

// returning returns an entry for a client that dies and returns periodically.
func returning(every, timeout, interval time.Duration) TableEntry {
	return Entry(fmt.Sprintf("every %v, noticed after %v", every, timeout),
		Waits(time.Duration(oracle.Ghosts(every, timeout)+2)*every), every, timeout, interval)
}

var _ = Describe("Clients whose programs are killed, so that FIN arrives", Rows("H4"), func() {
	EachFamily(func(family sock.Family) {
		// killed kills three clients. Each has sent data before: then the server's kernel
		// delays the ACK of the FIN, mostly until after the close (net/ipv4/tcp_input.c,
		// tcp_fin).
		killed := func(lab *harness.Lab) {
			GinkgoHelper()
			for clients := range 3 {
				client := lab.StartClient(5000, fixtures.Heartbeat{Interval: never, Timeout: never})
				Expect(lab.Server).To(HaveReceived(clients+1, capture.All(capture.Data, capture.Original), Within(time.Second)), "its one heartbeat")
				lab.Apply(scenarios.ProcessKilled{Program: client})
			}
			Expect(lab.Server).To(HaveReceived(3, capture.All(capture.FIN, capture.Original), Within(time.Second)))
		}

		DescribeTable("leave ghosts in CLOSE_WAIT for ever if the server does not close",
			func(forEver, finTimeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_fin_timeout", int(finTimeout/time.Second))
				lab.StartServer(5000, fixtures.Hold{})

				killed(lab)
				time.Sleep(forEver)

				// If the ACK of a FIN arrives while close(2) holds the socket, the connection
				// ends with RST after tcp_fin_timeout (net/ipv4/tcp_input.c,
				// tcp_rcv_state_process, "bad case").
				ghosts := 3 - len(lab.Server.Received(capture.RST))
				Expect(lab.Server.Count(sock.CloseWait)).To(And(Equal(ghosts), BeNumerically(">", 0)))
				Expect(lab.Client.States()).To(BeEmpty(), "the client's kernel has forgotten them")
			},
			Entry("3 s", Waits(3*time.Second), 3*time.Second, 2*time.Second),
			Entry("72 h", Waits(72*time.Hour), 72*time.Hour, oracle.FinTimeout),
		)

		It("leave no ghost if the server reads the zero-read", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.StartServer(5000, fixtures.ReadLoop{})

			killed(lab)

			Eventually(lab.Server.States).WithTimeout(time.Second).Should(ConsistOf(sock.Listening))
		})
	})
})

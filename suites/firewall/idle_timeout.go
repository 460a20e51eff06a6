// Package firewall contains the specs of firewalls and NATs that forget a flow: rows F1 to
// F10 of the catalogue.
package firewall

import (
	"fmt"
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

const (
	// idleTimeout is the idle timeout of the specs that also run in real time.
	idleTimeout = 3 * time.Second
	// margin is how long before and after a timeout the specs look.
	margin = 500 * time.Millisecond
)

// idleTimeouts returns entries of a table whose specs wait for the timeout and extra: a short
// timeout for real time, and those of cloud load balancers, of many firewalls, and of Linux.
func idleTimeouts(extra time.Duration) []TableEntry {
	var entries []TableEntry
	for _, timeout := range []time.Duration{idleTimeout, 350 * time.Second, time.Hour, 432000 * time.Second} {
		entries = append(entries, Entry(fmt.Sprintf("timeout %v", timeout), Waits(timeout+extra), timeout))
	}
	return entries
}

var _ = Describe("A firewall that forgets idle flows and says nothing", Rows("F1"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("leaves both ends ESTABLISHED, and the next sender retransmits until it gives up",
			func(timeout time.Duration) {
				const retries = 2
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_retries2", retries)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.SilentDrop})
				client, server := lab.Connect(5000)
				time.Sleep(2 * margin)
				younger, youngerPeer := lab.Connect(5001)

				time.Sleep(time.Until(younger.QuietSince().Add(timeout - margin)))
				Say(younger, youngerPeer, "in time")
				Expect(client).To(BeInState(sock.Established))
				Expect(server).To(BeInState(sock.Established))

				rto := client.RTO()
				Expect(client.Write("too late")).To(Succeed())
				Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), client.LastSent())))
				Expect(server).To(BeInState(sock.Established), "half-open: only one end knows")
				Expect(lab.Server.Received(capture.Data)).To(HaveLen(1), "only the data that was sent in time")
				Expect(lab.Client.Sent(capture.RST)).To(BeEmpty(), "retransmission gives up without an RST")
			},
			idleTimeouts(5*time.Second),
		)
	})
})

var _ = Describe("A firewall that forgets idle flows and resets the next sender", Rows("F2"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("gives the sender ECONNRESET and leaves the other end half-open",
			func(timeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.ResetSender})
				client, server := lab.Connect(5000)
				time.Sleep(2 * margin)
				younger, youngerPeer := lab.Connect(5001)

				time.Sleep(time.Until(younger.QuietSince().Add(timeout - margin)))
				Say(younger, youngerPeer, "in time")
				Expect(client).To(BeInState(sock.Established))
				Expect(client.Write("late")).To(Succeed())

				Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
				Expect(server).To(BeInState(sock.Established), "half-open: only one end knows")
				Expect(lab.Server.Received(capture.RST)).To(BeEmpty())
			},
			idleTimeouts(0),
		)
	})
})

var _ = Describe("A firewall that resets both ends the moment a flow's idle timer fires", Rows("F3"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("gives both ends ECONNRESET, although neither sends anything",
			func(timeout time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.ResetBoth})
				client, server := lab.Connect(5000)
				Say(client, server, "hello")
				quiet := client.QuietSince()

				AtOnce(
					func() { Expect(client).To(FailWith(unix.ECONNRESET, During(oracle.Around(timeout), quiet))) },
					func() { Expect(server).To(FailWith(unix.ECONNRESET, During(oracle.Around(timeout), quiet))) },
				)
				Expect(lab.Client.Received(capture.RST)).To(HaveLen(1))
				Expect(lab.Server.Received(capture.RST)).To(HaveLen(1))
			},
			idleTimeouts(0),
		)
	})
})

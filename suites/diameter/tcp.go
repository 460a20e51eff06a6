package diameter

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A Diameter client with the watchdog of go-diameter", Rows("H6"), Needs(fixture), Needs(require.Netem), func() {
	EachFamily(func(family sock.Family) {
		It("repeats its request when RFC 3539 fails over, and closes when RFC 3539 does; the server, which has no watchdog, never notices", Waits(16*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{})
			client := startClient(lab, watches)
			Expect(client).To(GoWithout(fixtures.Silent, 2*tw+5*time.Second))
			Expect(said(client, "DWA")).To(HaveLen(2), "the server lives")

			lab.Apply(scenarios.SilentDrop{})
			heard := lab.LastData(lab.Client)

			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(tw, tw, 1), heard)))
			Expect(client).To(Announce(fixtures.Silent, During(oracle.WatchdogClose(tw), heard)))
			requests := said(client, "DWR")
			Expect(requests).To(HaveLen(4))
			Expect(requests[2]).To(near(heard, tw))
			Expect(requests[3]).To(near(heard, 2*tw), "RFC 3539 sends no request while one is pending")
			Expect(server).To(GoWithout(fixtures.Closed, 12*time.Minute))
			Expect(lab.Server.Count(sock.Established)).To(Equal(1), "the FIN was dropped as well")
		})

		It("closes 6 s after the last data with its defaults: five seconds, one request, one second", Waits(7*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.StartServer(port, fixtures.Diameter{})
			client := startClient(lab, fixtures.Diameter{})

			lab.Apply(scenarios.SilentDrop{})

			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(5*time.Second, time.Second, 0), lab.LastData(lab.Client))))
			Expect(said(client, "DWR")).To(HaveLen(1))
			Expect(said(client, "DWA")).To(BeEmpty(), "the library can lose an answer, and close a living connection")
		})

		It("goes on when the path heals after RFC 3539's failover and before its close", Waits(3*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.StartServer(port, fixtures.Diameter{})
			client := startClient(lab, watches)
			heard := lab.LastData(lab.Client)
			drop := scenarios.SilentDrop{}
			lab.Apply(drop)
			time.Sleep(time.Until(heard.Add(70 * time.Second)))
			Expect(said(client, "DWR")).To(HaveLen(2))
			Expect(said(client, "DWA")).To(BeEmpty(), "nothing arrives")

			lab.Heal(drop)

			Expect(client).To(GoWithout(fixtures.Silent, 3*tw))
			Expect(said(client, "DWA")).To(HaveLen(4), "the answers to both requests, and to two more")
		})

		It("notices a server whose process is stopped, although its kernel answers", Waits(2*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{})
			client := startClient(lab, watches)

			lab.Apply(scenarios.ProcessStopped{Program: server})

			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(tw, tw, 1), lab.LastData(lab.Client))))
		})

		It("needs no watchdog to notice a server whose process is killed: the kernel sends FIN", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{})
			client := startClient(lab, watches)

			lab.Apply(scenarios.ProcessKilled{Program: server})

			Expect(client).To(Announce(fixtures.Closed, Within(time.Second)))
			Expect(said(client, "DWR")).To(BeEmpty())
		})

		It("uses the next connection at once, while RFC 3539 waits for three answers", Waits(6*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{})
			client := startClient(lab, fixtures.Diameter{Interval: tw, Wait: tw, Repeats: 1, Reconnect: tc})
			drop := scenarios.SilentDrop{}
			lab.Apply(drop)
			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(tw, tw, 1), lab.LastData(lab.Client))))
			closed, _ := client.Event(fixtures.Silent)

			lab.Heal(drop)

			Expect(client).To(Announce(fixtures.Reconnected, During(oracle.Around(tc), closed.At)))
			Expect(said(server, fixtures.Accepted)).To(HaveLen(2))
			again, _ := client.Event(fixtures.Reconnected)
			Expect(client).To(GoWithout(fixtures.Failed, oracle.WatchdogReopened(tw).Latest+tw))
			requests, answers := said(client, "DWR")[2:], said(client, "DWA")
			Expect(requests).To(HaveLen(3))
			Expect(requests[0]).To(near(again.At, tw), "RFC 3539 sends the first request at once")
			Expect(answers).To(HaveLen(3))
			Expect(answers[2]).To(near(again.At, 3*tw), "RFC 3539 has three answers after two expirations")
		})
	})
})

var _ = Describe("A Diameter watchdog behind a firewall that forgets flows idle for 60 s", Rows("H6", "H8"), Needs(fixture), Needs(require.Netem), func() {
	const forgets = time.Minute
	rare := fixtures.Diameter{Interval: 90 * time.Second, Wait: tw, Repeats: 1}
	EachFamily(func(family sock.Family) {
		through := func(then firewall.AfterExpiry, client fixtures.Diameter) (*harness.Lab, *harness.Program) {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: forgets, Then: then})
			lab.StartServer(port, fixtures.Diameter{})
			return lab, startClient(lab, client)
		}

		It("keeps the flow with a request every 30 s", Waits(6*time.Minute), func() {
			lab, client := through(firewall.ResetSender, watches)

			Expect(client).To(GoWithout(fixtures.Failed, 5*forgets+5*time.Second))
			Expect(said(client, "DWA")).To(HaveLen(10))
			Expect(lab.Firewall().Entries()).To(HaveLen(1), "the firewall still has the entry")
		})

		It("meets RST with a request every 90 s, and the server stays half-open", Waits(2*time.Minute), func() {
			lab, client := through(firewall.ResetSender, rare)

			Expect(client).To(AnnounceErrno(fixtures.Failed, unix.ECONNRESET, During(oracle.Around(90*time.Second), lab.LastData(lab.Client))))
			Expect(lab.Server.Count(sock.Established)).To(Equal(1), "half-open: only one end knows")
		})

		It("closes only after two requests with one every 90 s, if the firewall is silent", Waits(3*time.Minute), func() {
			lab, client := through(firewall.SilentDrop, rare)

			Expect(client).To(Announce(fixtures.Silent, During(oracle.RepeatedRequests(90*time.Second, tw, 1), lab.LastData(lab.Client))))
			Expect(said(client, "DWA")).To(BeEmpty())
		})

		It("never meets the timeout with a request every 90 s if Go's TCP keepalive is on, the library's default", Waits(6*time.Minute), func() {
			probed := rare
			probed.Keepalive = true
			lab, client := through(firewall.ResetSender, probed)

			Expect(client).To(GoWithout(fixtures.Failed, 5*forgets+5*time.Second))
			Expect(said(client, "DWA")).To(HaveLen(3))
			Expect(lab.Firewall().Entries()).To(HaveLen(1), "the firewall still has the entry")
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		})
	})
})

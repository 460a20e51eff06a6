package heartbeat

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// Package keepalive shows that keepalive does not notice the same situations.
var _ = Describe("A heartbeat notices what keepalive cannot", func() {
	EachFamily(func(family sock.Family) {
		It("a peer whose process is stopped", Rows("H5", "K8"), Waits(7*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, beats)
			client := lab.StartClient(5000, beats)
			Expect(client).To(GoWithout(fixtures.Silent, 2*timeout))

			lab.Apply(scenarios.ProcessStopped{Program: server})

			Expect(client).To(Announce(fixtures.Silent, unheard(lab, lab.Client)))
		})

		It("a peer whose program is deadlocked", Rows("H5"), Waits(5*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, fixtures.Heartbeat{Interval: interval, Timeout: timeout, HangAfter: time.Second})
			client := lab.StartClient(5000, beats)

			Expect(server).To(Announce(fixtures.Hangs, Within(2*time.Second)))

			Expect(client).To(Announce(fixtures.Silent, unheard(lab, lab.Client)))
		})

		It("a peer that lost power behind a proxy", Rows("H5", "K9"), Waits(7*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			lab.StartServer(5000, beats)
			client := lab.StartClient(5000, beats)
			Expect(client).To(GoWithout(fixtures.Silent, 2*timeout))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})

			Expect(client).To(Announce(fixtures.Silent, unheard(lab, lab.Client)))
		})
	})
})

// Package heartbeat contains the specs of application heartbeats: rows H1 to H10 of the
// catalogue, except H6, which is in package diameter. The programs are in package fixtures.
package heartbeat

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The heartbeats of the specs: one in each interval; a silence longer than the timeout means
// that the peer is dead.
const (
	interval = 500 * time.Millisecond
	timeout  = 2 * time.Second
)

// never is longer than any of these specs.
const never = 100 * time.Hour

// The programs of most specs: both send heartbeats, and only the first one watches for
// silence.
var (
	beats   = fixtures.Heartbeat{Interval: interval, Timeout: timeout}
	patient = fixtures.Heartbeat{Interval: interval, Timeout: never}
)

// unheard returns when a program must report the silence of a peer that it can no longer
// hear, counted from the last data that has arrived at the program's host.
func unheard(lab *harness.Lab, at *harness.Host) Deadline {
	GinkgoHelper()
	return During(oracle.Silence(timeout, interval), lab.LastData(at))
}

var _ = Describe("A peer whose heartbeats stop", Rows("H1"), func() {
	EachFamily(func(family sock.Family) {
		It("is noticed by both sides, within one interval after the timeout and never before it", Waits(7*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, beats)
			client := lab.StartClient(5000, beats)
			Expect(client).To(GoWithout(fixtures.Silent, 2*timeout))

			drop := scenarios.SilentDrop{}
			lab.Apply(drop)
			atClient, atServer := unheard(lab, lab.Client), unheard(lab, lab.Server)

			Expect(client).To(Announce(fixtures.Silent, atClient))
			Expect(server).To(Announce(fixtures.Silent, atServer))
		})
	})
})

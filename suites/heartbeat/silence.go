// Package heartbeat is the specs of application heartbeats: rows H1 to H10 of the
// catalogue, but H6, which is package diameter's. The programs are package fixtures'.
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

// The heartbeats of the specs: one each interval, and silence of more than the
// timeout is taken for death.
const (
	interval = 500 * time.Millisecond
	timeout  = 2 * time.Second
)

// never is a time that does not pass in these specs.
const never = 100 * time.Hour

// What the programs are told: to beat and to watch, or to beat and take no silence for
// death.
var (
	beats   = fixtures.Heartbeat{Interval: interval, Timeout: timeout}
	patient = fixtures.Heartbeat{Interval: interval, Timeout: never}
)

// unheard is when a program must report the silence of a peer that can no longer be
// heard, counted from the last data that has arrived at its host.
func unheard(lab *harness.Lab, at *harness.Host) Deadline {
	GinkgoHelper()
	return During(oracle.Silence(timeout, interval), lab.LastData(at))
}

var _ = Describe("A heartbeat and a peer that falls silent", Rows("H1"), func() {
	EachFamily(func(family sock.Family) {
		It("is noticed within one interval of the timeout, and never before it, on both sides", Waits(7*time.Second), func() {
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

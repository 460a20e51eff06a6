// Package diameter contains the specs of Diameter peers and their watchdog: row H6 of the
// catalogue.
package diameter

import (
	"time"

	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
)

const (
	tw   = oracle.WatchdogTw
	tc   = 30 * time.Second // from the end of a connection to the next one: RFC 6733 §2.1
	port = 3868             // RFC 6733 §2.1
)

// watches is a client whose watchdog repeats an unanswered request once, so that it closes
// after the silence that RFC 3539 demands.
var watches = fixtures.Diameter{Interval: tw, Wait: tw, Repeats: 1}

// distance is the delay of the server's packets, as from the next city. go-diameter drops an
// answer that arrives before the library waits for it (docs/diameter-watchdog.md). In a lab
// without the delay, the speed of the machine would decide whether that happens.
const distance = 5 * time.Millisecond

// fixture returns an error if the Diameter peer of fixtures/diameter is not in PATH.
func fixture() error {
	return require.Program(fixtures.DiameterProgram, "build it into a directory of PATH (go -C fixtures/diameter build -o DIRECTORY)")
}

// startClient delays the server's packets by distance, starts a Diameter client on the
// client, and waits until the peers have exchanged capabilities.
func startClient(lab *harness.Lab, client fixtures.Diameter) *harness.Program {
	towards := lab.Server.LinkTo(lab.Host("firewall"))
	Expect(lab.Server.Links().Impair(towards, link.Impairment{Delay: distance})).To(Succeed())
	return lab.StartClient(port, client)
}

// said returns when a program reported a message, or any other event with that name.
func said(p *harness.Program, name string) (at []time.Time) {
	for _, e := range p.Events() {
		if e.Name == name {
			at = append(at, e.At)
		}
	}
	return at
}

// near matches the instant d after another, within the tolerance of timers.
func near(since time.Time, d time.Duration) OmegaMatcher {
	return BeTemporally("~", since.Add(d), oracle.Tolerance(d))
}

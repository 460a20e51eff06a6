// Package diameter is the specs of Diameter peers and their watchdog: row H6 of the
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

// The watchdog of the specs is go-diameter's, told to ask once more: after as long a
// silence as RFC 3539 wants it closes.
const (
	tw   = oracle.WatchdogTw
	tc   = 30 * time.Second // from the end of a connection to the next: RFC 6733, §2.1
	port = 3868             // RFC 6733, §2.1
)

var watches = fixtures.Diameter{Interval: tw, Wait: tw, Repeats: 1}

// distance is how long the server's packets take, as from the next city. go-diameter drops
// an answer that comes before it waits for it (docs/diameter-watchdog.md): in a lab without
// it, how fast the machine is would decide.
const distance = 5 * time.Millisecond

// fixture returns an error if the Diameter peer of fixtures/diameter is not in PATH.
func fixture() error {
	return require.Program(fixtures.DiameterProgram, "build it into a directory of PATH (go -C fixtures/diameter build -o DIRECTORY)")
}

// startClient starts the Diameter client of fixtures/diameter on the client, a distance
// away from the server, and waits until they have exchanged capabilities.
func startClient(lab *harness.Lab, client fixtures.Diameter) *harness.Program {
	towards := lab.Server.LinkTo(lab.Host("firewall"))
	Expect(lab.Server.Links().Impair(towards, link.Impairment{Delay: distance})).To(Succeed())
	return lab.StartClient(port, client)
}

// said is when a program reported a message, or anything else of that name.
func said(p *harness.Program, name string) (at []time.Time) {
	for _, e := range p.Events() {
		if e.Name == name {
			at = append(at, e.At)
		}
	}
	return at
}

// near is an instant so long after another, as the timers of a program keep it.
func near(since time.Time, d time.Duration) OmegaMatcher {
	return BeTemporally("~", since.Add(d), oracle.Tolerance(d))
}

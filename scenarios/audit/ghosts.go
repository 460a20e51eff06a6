package audit

import (
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// returnPeriod is how often the client of the ghosts loses power and comes back.
const returnPeriod = time.Minute

// ghosts derives how many dead connections a server keeps from what became of an idle
// connection whose client lost power; nil where that is unknown.
func ghosts(faults []answer.Fault) *answer.Ghosts {
	for _, f := range faults {
		if f.Name != hostPoweredOff || f.Load != answer.Idle {
			continue
		}
		g := &answer.Ghosts{Every: answer.Seconds(returnPeriod)}
		switch {
		case f.Within > 0:
			return nil
		case f.Verdict == answer.Never || f.Verdict == answer.KernelOnly: // its descriptor stays open
			return g
		case f.Noticed != nil:
			g.Most = oracle.Ghosts(returnPeriod, f.Noticed.After.Duration())
			return g
		}
	}
	return nil
}

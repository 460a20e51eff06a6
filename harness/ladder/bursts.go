package ladder

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// pause is the shortest time without events that is drawn as a break.
const pause = time.Second

// burst is events that follow each other without a pause.
type burst struct {
	rungs []Rung
	// Repeats is how many bursts of the same shape followed this one, and are not drawn; the
	// last of them ended at until.
	repeats int
	until   time.Duration
}

// bursts cuts the rungs at pauses. Where bursts of the same shape follow each other, such as
// keepalive probes and their answers, only the first is there.
func (l *Ladder) bursts() []burst {
	var all []burst
	for _, r := range l.Rungs {
		if n := len(all); n == 0 || r.At-all[n-1].until >= pause {
			all = append(all, burst{})
		}
		b := &all[len(all)-1]
		b.rungs, b.until = append(b.rungs, r), max(b.until, r.At)
		if r.Arrow != nil {
			b.until = max(b.until, r.Arrived)
		}
	}
	var folded []burst
	for _, b := range all {
		n := len(folded)
		if n > 0 && shape(folded[n-1].rungs) == shape(b.rungs) {
			folded[n-1].repeats++
			folded[n-1].until = b.until
			continue
		}
		folded = append(folded, b)
	}
	return folded
}

// shape returns what events look like, without their times and numbers.
func shape(rungs []Rung) string {
	var b strings.Builder
	for _, r := range rungs {
		what := r.Text
		if r.Arrow != nil {
			what = fmt.Sprintf("%s %d %s %v", r.Brief, r.To, r.End, r.Forged)
		} else if r.Subject != "" {
			what = r.Subject + r.State
		}
		fmt.Fprintf(&b, "%s %d %s\n", r.Kind, r.Host, what)
	}
	return b.String()
}

// states returns the state of each host's socket after the rungs: that which changed last.
func states(before []string, rungs []Rung, kind Kind) []string {
	after := slices.Clone(before)
	for _, r := range rungs {
		if r.Kind == kind && r.Subject != "" && r.Host >= 0 {
			after[r.Host] = r.State
		}
	}
	return after
}

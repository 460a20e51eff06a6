package ladder

import (
	"fmt"
	"strings"
	"time"
)

// pause is the shortest time without events that is drawn as a break.
const pause = time.Second

// Burst is events that follow each other without a pause of a second or more.
type Burst struct {
	Rungs []Rung
	// After is the time without events before the burst; zero: it is the first one.
	After time.Duration
	// Repeats are the bursts of the same shape that follow this one, such as keepalive probes
	// and their answers; the last of them ends at Until.
	Repeats [][]Rung
	Until   time.Duration
}

// Bursts cuts the story at its pauses, and folds what repeats itself.
func (l *Ladder) Bursts() []Burst {
	var all []Burst
	for _, r := range l.Rungs {
		n := len(all)
		if n == 0 || r.At-all[n-1].Until >= pause {
			b := Burst{}
			if n > 0 {
				b.After = r.At - all[n-1].Until
			}
			all = append(all, b)
		}
		b := &all[len(all)-1]
		b.Rungs, b.Until = append(b.Rungs, r), max(b.Until, r.At)
		if r.Arrow != nil {
			b.Until = max(b.Until, r.Arrived)
		}
	}
	var folded []Burst
	for _, b := range all {
		if n := len(folded); n > 0 && shape(folded[n-1].Rungs) == shape(b.Rungs) {
			folded[n-1].Repeats = append(folded[n-1].Repeats, b.Rungs)
			folded[n-1].Until = b.Until
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
			what = fmt.Sprintf("%s %s %v", r.Subject, r.State, r.State == "" && r.Expires > 0)
		}
		fmt.Fprintf(&b, "%s %d %s\n", r.Kind, r.Host, what)
	}
	return b.String()
}

// More returns that the burst is repeated, how often and until when; empty: it is not.
func (b Burst) More() string {
	switch n := len(b.Repeats); n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("the same once more, until %.3f", b.Until.Seconds())
	default:
		return fmt.Sprintf("the same %d times more, until %.3f", n, b.Until.Seconds())
	}
}

// InWords returns the length of a pause in words: "75.8 s", "2 h 30 min".
func InWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d.Round(time.Second) < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

package matcher

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/steal"
)

// Deadline is a window of time on the clock: an oracle's window, laid against an
// instant.
type Deadline struct {
	since  time.Time // zero: the instant at which the matcher starts
	window oracle.Window
	anchor string
	stolen func(from, to time.Time) time.Duration // nil: steal.Between
}

// Within means: at the latest d from now. What has happened already is in time.
func Within(d time.Duration) Deadline {
	return Deadline{window: oracle.Window{Earliest: -forEver, Latest: d}, anchor: "now"}
}

// forEver is longer than any spec.
const forEver = 365 * 24 * time.Hour

// During means: not before and not after the window that begins at an instant,
// such as the one at which the connection last heard from its peer.
func During(window oracle.Window, since time.Time) Deadline {
	return Deadline{since: since, window: window, anchor: "the instant given"}
}

// StartingBy is for a clock that was started between the deadline's instant and
// this one, such as a timer in another program that was told to start.
func (w Deadline) StartingBy(latest time.Time) Deadline {
	w.window.Latest += latest.Sub(w.since)
	return w
}

// patience is how long a matcher goes on waiting after a window has closed, so
// that a late event is told from one that never comes.
func (w Deadline) patience() time.Duration {
	return min(2*time.Second, max(500*time.Millisecond, w.window.Latest/2))
}

// pause is how long a matcher that can only look again and again waits before the next
// look: hours take no more looks than seconds, half of them before the window opens. The
// last of those is just before, or else what came too early would seem to be in time.
func (w Deadline) pause() time.Duration {
	const looks = 200
	before := time.Until(w.since.Add(w.window.Earliest)) - time.Millisecond
	if before > 0 {
		return min(before, max(time.Millisecond, w.window.Earliest/looks))
	}
	pause := max(time.Millisecond, (w.window.Latest-max(0, w.window.Earliest))/looks)
	if left := time.Until(w.since.Add(w.window.Latest)); left >= 0 {
		return min(pause, left+1) // and a look as soon as it is too late
	}
	return pause
}

func (w Deadline) start() Deadline {
	if w.since.IsZero() {
		w.since = time.Now()
	}
	return w
}

func (w Deadline) deadline() time.Time { return w.since.Add(w.window.Latest + w.patience()) }

// includes says whether something that happened at an instant was in time. What a machine
// does that stood still meanwhile may come later by as much: it is the tolerance for what
// runs, not for what its hypervisor has stopped.
func (w Deadline) includes(at time.Time) bool {
	d := at.Sub(w.since)
	return w.window.Contains(d) || d > w.window.Latest && d-w.window.Latest <= w.stoodStill(at)
}

// stoodStill returns for how long the machine stood still between the deadline's instant
// and another.
func (w Deadline) stoodStill(until time.Time) time.Duration {
	if w.stolen != nil {
		return w.stolen(w.since, until)
	}
	return steal.Between(w.since, until)
}

// looks are the instants at which a matcher that waits looks: when the window opens, as
// soon as it is closed, and when nothing is waited for any more.
func (w Deadline) looks() []time.Time {
	looks := []time.Time{w.since.Add(w.window.Latest + 1), w.deadline()}
	if w.window.Earliest > 0 {
		looks = append([]time.Time{w.since.Add(w.window.Earliest)}, looks...)
	}
	return looks
}

// includesBetween says whether something was in time that came between two looks, of
// which the first, the zero time if there was none, did not find it. A process that has
// to wait for a processor looks late: when the first look was in the window it did not
// come too early, and nobody has seen it to be too late.
func (w Deadline) includesBetween(missed, found time.Time) bool {
	return w.includes(found) || !missed.IsZero() && w.includes(missed)
}

// verdict says how an instant lies to the window.
func (w Deadline) verdict(at time.Time) string {
	d := at.Sub(w.since)
	text := fmt.Sprintf("after %v: ", d.Round(time.Millisecond))
	switch {
	case d < w.window.Earliest:
		return text + "too early"
	case d <= w.window.Latest:
		return text + "in time"
	}
	stood := w.stoodStill(at)
	switch {
	case w.includes(at):
		return text + fmt.Sprintf("in time, for the machine stood still for %v", stood)
	case stood > 0:
		return text + fmt.Sprintf("too late, also for a machine that stood still for %v", stood)
	}
	return text + "too late"
}

// String says the window as a deadline.
func (w Deadline) String() string { return w.window.String() + " since " + w.anchor }

package matcher

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/steal"
)

// Deadline is a window of time on the clock: an oracle's window, counted from an instant.
// Make one with Within or During. The zero value is the instant at which the matcher starts.
type Deadline struct {
	since  time.Time // zero: the instant at which the matcher starts
	began  time.Time // when the matcher started
	window oracle.Window
	anchor string                                 // what the window is counted from, in words
	stolen func(from, to time.Time) time.Duration // nil: steal.Between
}

// Within returns the deadline d from the instant at which the matcher starts. An event that
// came before that instant is in time.
func Within(d time.Duration) Deadline {
	return Deadline{window: oracle.Window{Earliest: -unlimited, Latest: d}, anchor: "from now"}
}

// unlimited is longer than any spec.
const unlimited = 365 * 24 * time.Hour

// During returns the window that begins at an instant, such as the one at which the
// connection last heard from its peer. An event before the window is too early, one after it
// too late.
func During(window oracle.Window, since time.Time) Deadline {
	return Deadline{since: since, window: window, anchor: "after the instant given"}
}

// StartingBy returns the deadline of a clock that was started at an unknown instant between
// the deadline's own and latest, such as a timer in another program that was told to start.
func (w Deadline) StartingBy(latest time.Time) Deadline {
	w.window.Latest += latest.Sub(w.since)
	return w
}

// start returns the deadline for a matcher that starts now.
func (w Deadline) start() Deadline {
	w.began = time.Now()
	if w.since.IsZero() {
		w.since = w.began
	}
	return w
}

// patience is how long a matcher goes on waiting after the window has closed: it tells a late
// event from one that never comes.
func (w Deadline) patience() time.Duration {
	return min(2*time.Second, max(500*time.Millisecond, w.window.Latest/2))
}

// end returns the instant at which a matcher stops waiting.
func (w Deadline) end() time.Time { return w.since.Add(w.window.Latest + w.patience()) }

// includes reports whether an event at that instant was in time. If the hypervisor paused the
// machine, the event may be late by the length of the pause: the window's tolerance is for
// programs that run, not for a machine that stands still.
func (w Deadline) includes(at time.Time) bool {
	d := at.Sub(w.since)
	return w.window.Contains(d) || d > w.window.Latest && d-w.window.Latest <= w.pausedUntil(at)
}

// pausedUntil returns for how long the hypervisor paused the machine between the deadline's
// instant and another.
func (w Deadline) pausedUntil(at time.Time) time.Duration {
	if w.stolen != nil {
		return w.stolen(w.since, at)
	}
	return steal.Between(w.since, at)
}

// includesBetween reports whether an event was in time that came between two looks. The first
// look began at missed and did not find the event; missed is zero where there was none. A
// process that waits for a processor looks late: if the first look began within the window,
// the event did not come too early, and nothing shows that it came too late.
func (w Deadline) includesBetween(missed, found time.Time) bool {
	return w.includes(found) || !missed.IsZero() && w.includes(missed)
}

// after says how long after the deadline's instant something was: "after 1.5s".
func (w Deadline) after(at time.Time) string {
	d := at.Sub(w.since)
	text := d.Round(time.Millisecond)
	if w.window.Contains(text) != w.window.Contains(d) { // rounded, it would contradict the verdict
		text = d
	}
	if d < 0 {
		return fmt.Sprintf("%v before", -text)
	}
	return fmt.Sprintf("after %v", text)
}

// verdict says whether an event at that instant was in time: "after 1.5s: too late".
func (w Deadline) verdict(at time.Time) string {
	text := w.after(at) + ": "
	switch d := at.Sub(w.since); {
	case d < w.window.Earliest:
		return text + "too early"
	case d <= w.window.Latest:
		return text + "in time"
	}
	paused := w.pausedUntil(at)
	switch {
	case w.includes(at):
		return text + fmt.Sprintf("in time, because the hypervisor paused the machine for %v", paused)
	case paused > 0:
		return text + fmt.Sprintf("too late, even for a machine that the hypervisor paused for %v", paused)
	}
	return text + "too late"
}

// verdictBetween is verdict for an event that came between two looks, as includesBetween
// counts them. A look that is too late does not show that the event was.
func (w Deadline) verdictBetween(missed, found time.Time) string {
	closed := w.since.Add(w.window.Latest)
	switch {
	case w.includes(found) || !found.After(closed):
		return w.verdict(found)
	case missed.IsZero() && w.began.After(closed):
		return fmt.Sprintf("%s: when it came is unknown, because the matcher began to look only %s", w.after(found), w.after(w.began))
	case !missed.IsZero() && !missed.After(closed):
		text := fmt.Sprintf("%s, but not yet %s: ", w.after(found), w.after(missed))
		if w.includes(missed) {
			return text + "in time"
		}
		return text + "when it came between the two is unknown"
	}
	return w.verdict(found)
}

// String says the window: "within 1s from now".
func (w Deadline) String() string { return w.window.String() + " " + w.anchor }

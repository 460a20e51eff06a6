package oracle

import (
	"fmt"
	"time"
)

// Window is the time in which an event should happen, counted from an instant that the caller
// knows. Both bounds are included. The zero value is that instant itself.
type Window struct{ Earliest, Latest time.Duration }

// grain is the coarsest tick of common kernels (CONFIG_HZ=250).
const grain = 4 * time.Millisecond

// Tolerance returns how much later than planned an event may happen: 4 ms or 12.5 %, whichever is
// more. The kernel's timer wheel rounds a delay up by at most an eighth (kernel/time/timer.c);
// packetdrill allows the same. The project has no other tolerance.
func Tolerance(planned time.Duration) time.Duration { return max(grain, planned/8) }

// Around returns the window of an event that is planned after d. Timers do not fire early: the
// window opens one tick before d because the kernel reports the start of the delay with that
// precision.
func Around(d time.Duration) Window {
	return Window{Earliest: max(0, d-grain), Latest: d + Tolerance(d)}
}

// Contains reports whether d lies in the window, bounds included.
func (w Window) Contains(d time.Duration) bool { return w.Earliest <= d && d <= w.Latest }

// String returns the window as text: "between 996ms and 1.125s", or "within 1s" if it opens at
// zero or before.
func (w Window) String() string {
	if w.Earliest <= 0 {
		return fmt.Sprintf("within %v", w.Latest)
	}
	return fmt.Sprintf("between %v and %v", w.Earliest, w.Latest)
}

// span returns the window of an event that is planned after a or after b, depending on how late
// the timers are.
func span(a, b time.Duration) Window {
	return Window{Earliest: max(0, min(a, b)-grain), Latest: late(max(a, b))}
}

// late returns a delay with the Tolerance added.
func late(d time.Duration) time.Duration { return d + Tolerance(d) }

package oracle

import (
	"fmt"
	"time"
)

// Window is the time in which something should happen, counted from an instant
// that the caller knows. The zero value is that instant itself.
type Window struct{ Earliest, Latest time.Duration }

// grain is the coarsest tick that common kernels count time in (CONFIG_HZ=250).
const grain = 4 * time.Millisecond

// Tolerance is how much later than planned something may happen: 4 ms or 12.5 %,
// whichever is more. The kernel's timer wheel rounds up, by at most an eighth of
// the delay (kernel/time/timer.c); packetdrill allows the same. It is the only
// tolerance of the project.
func Tolerance(planned time.Duration) time.Duration { return max(grain, planned/8) }

// Around is the window of something planned after d. Timers do not fire early; the
// one tick before d is the precision with which the kernel tells when it began.
func Around(d time.Duration) Window {
	return Window{Earliest: max(0, d-grain), Latest: d + Tolerance(d)}
}

// Contains says whether d lies in the window; both ends do.
func (w Window) Contains(d time.Duration) bool { return w.Earliest <= d && d <= w.Latest }

// String says the window as a deadline: "between 996ms and 1.125s", "within 1s".
func (w Window) String() string {
	if w.Earliest <= 0 {
		return fmt.Sprintf("within %v", w.Latest)
	}
	return fmt.Sprintf("between %v and %v", w.Earliest, w.Latest)
}

// span is the window of something planned after one of two delays, depending on how
// late the timers are: Around both of them.
func span(a, b time.Duration) Window {
	return Window{Earliest: max(0, min(a, b)-grain), Latest: late(max(a, b))}
}

// late is a delay with the most that the timer wheel may add.
func late(d time.Duration) time.Duration { return d + Tolerance(d) }

package matcher

import "time"

// Paused returns the deadline as it is on a machine that the hypervisor paused for d before
// every event.
func (w Deadline) Paused(d time.Duration) Deadline {
	w.stolen = func(time.Time, time.Time) time.Duration { return d }
	return w
}

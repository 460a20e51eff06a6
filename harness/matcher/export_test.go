package matcher

import (
	"testing"
	"time"
)

// StandStill makes the matchers believe, until the test ends, that the hypervisor paused the
// machine for d before every event.
func StandStill(t *testing.T, d time.Duration) {
	before := stolen
	stolen = func(time.Time, time.Time) time.Duration { return d }
	t.Cleanup(func() { stolen = before })
}

package matcher

import (
	"testing"
	"time"
)

// StandStill makes the matchers believe, until the test ends, that the machine stood still
// for so long, whenever they ask.
func StandStill(t *testing.T, d time.Duration) {
	before := stolen
	stolen = func(time.Time, time.Time) time.Duration { return d }
	t.Cleanup(func() { stolen = before })
}

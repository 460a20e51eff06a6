package measuring

import (
	"strings"
	"testing"
	"time"
)

func TestAProgramThatRarelySleepsIsWatchedForLess(t *testing.T) {
	for _, c := range []struct {
		wakeUps float64
		watch   time.Duration
		says    string
	}{
		{0, longestWatch, ""},
		{27, longestWatch, ""},       // a JVM: 24 s for ten trials
		{1000, 10 * time.Minute, ""}, // below leastWatch
	} {
		watch, unknown := affordable(c.wakeUps, 10)
		if want := max(c.watch, leastWatch); watch != want {
			t.Errorf("%v times a second: watched for %v, expected %v", c.wakeUps, watch, want)
		}
		if said := len(unknown) > 0 && strings.Contains(unknown[0], "times a second"); said != (watch < longestWatch) {
			t.Errorf("%v times a second, watched for %v: it says %q", c.wakeUps, watch, unknown)
		}
	}
}

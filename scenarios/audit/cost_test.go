package audit

import (
	"strings"
	"testing"
	"time"
)

func TestAProgramThatRarelySleepsIsWatchedForLess(t *testing.T) {
	for _, c := range []struct {
		wakeUps float64
		watch   time.Duration
	}{
		{0, longestWatch},
		{27, longestWatch},       // a JVM: ten trials take 24 s
		{100, 100 * time.Minute}, // a minute of real time for ten trials
		{10_000, leastWatch},
	} {
		watch, unknown := affordable(c.wakeUps, 10)
		if watch != c.watch {
			t.Errorf("%v times a second: watched for %v, expected %v", c.wakeUps, watch, c.watch)
		}
		if said := len(unknown) > 0 && strings.Contains(unknown[0], "times a second"); said != (watch < longestWatch) {
			t.Errorf("%v times a second, watched for %v: it says %q", c.wakeUps, watch, unknown)
		}
	}
}

package shard

import (
	"testing"
	"time"
)

func TestLabelsSayWhatASpecTakes(t *testing.T) {
	for _, c := range []struct {
		labels []string
		wait   time.Duration
		cost   int
	}{
		{nil, 0, 1},
		{[]string{"K1", WaitLabel(90 * time.Minute), CostLabel(16)}, 90 * time.Minute, 16},
		{[]string{"90m", "16", "waits for the peer", "costs nothing"}, 0, 1}, // somebody else's
	} {
		if wait, cost := Estimate(c.labels); wait != c.wait || cost != c.cost {
			t.Errorf("%q: %v and %d, expected %v and %d", c.labels, wait, cost, c.wait, c.cost)
		}
	}
}

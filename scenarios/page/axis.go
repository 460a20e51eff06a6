package page

import (
	"fmt"
	"html/template"
	"math"
	"time"
)

// axis is a logarithmic axis of time.
type axis struct{ from, to time.Duration }

// The axes of pages: from what a kernel does at once to more than its own keepalive takes, and
// the idle timeouts of middleboxes.
var (
	detectionAxis = axis{10 * time.Millisecond, 10 * time.Hour}
	timeoutAxis   = axis{10 * time.Second, 24 * time.Hour}
)

// share returns the place of a duration on the axis, from 0 to 1.
func (a axis) share(d time.Duration) float64 {
	d = min(max(d, a.from), a.to)
	return math.Log(float64(d)/float64(a.from)) / math.Log(float64(a.to)/float64(a.from))
}

// at returns the place as a distance from the left edge.
func (a axis) at(d time.Duration) template.CSS {
	return template.CSS(fmt.Sprintf("%.2f%%", 100*a.share(d)))
}

// tick is a mark with a label on the axis.
type tick struct {
	At    template.CSS
	Label string
}

// ticks returns the marks of the axis.
func (a axis) ticks() (all []tick) {
	for _, t := range []struct {
		d     time.Duration
		label string
	}{
		{100 * time.Millisecond, "0.1 s"}, {time.Second, "1 s"}, {10 * time.Second, "10 s"}, {time.Minute, "1 min"},
		{10 * time.Minute, "10 min"}, {time.Hour, "1 h"}, {10 * time.Hour, "10 h"},
	} {
		if t.d > a.from && t.d < a.to {
			all = append(all, tick{a.at(t.d), t.label})
		}
	}
	return all
}

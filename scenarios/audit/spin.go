package audit

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/box"
)

// spinSamples are the times between the samples that tell whether a program spins: no multiples of
// each other, so that a program that wakes up at a stable period is not taken for one that
// always runs. In virtual time computing takes none, and half a second is a hundred thousand
// system calls, which is what makes a longer look dear.
var spinSamples = []time.Duration{71 * time.Millisecond, 113 * time.Millisecond, 131 * time.Millisecond, 89 * time.Millisecond, 167 * time.Millisecond}

// longer is how many times longer a program is looked at in real time, where it may compute.
const longer = 10

// spinsAfterEnd reports whether the program runs without a pause since its kernel has told it that a
// connection is over: a loop that reads, and takes no notice of the end. It looks only once, and
// stops a program that spins: all other trials wait for the processor.
func (t *trial) spinsAfterEnd(stories []story) bool {
	if t.looked || t.exited != nil || t.program == nil {
		return t.spins
	}
	unnoticed := func() bool {
		for _, s := range stories {
			if _, known := s.kernel(); known && !s.noticed() {
				return true
			}
		}
		return false
	}
	if !unnoticed() {
		return false
	}
	t.looked = true
	for _, pause := range spinSamples {
		if t.plan.RealTime {
			pause *= longer
		}
		select {
		case <-time.After(pause):
		case <-t.ctx.Done():
			return false
		}
		if stories = t.stories(); !unnoticed() || !box.Running(t.program.PID()) {
			return false
		}
	}
	t.spins = box.Signal(t.program.PID(), unix.SIGSTOP) == nil
	return t.spins
}

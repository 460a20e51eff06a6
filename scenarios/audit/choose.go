package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// trials returns the faults that are measured. The first is the quiet connection.
func (r Request) trials() []fault {
	return slices.DeleteFunc(r.wanted(), r.tooLong)
}

// tooLong reports whether a fault takes longer than it is watched in real time.
func (r Request) tooLong(f fault) bool { return r.RealTime && f.takes() > r.Watch }

// takes returns how long a trial must last to show anything; zero: it may show at once.
func (f fault) takes() time.Duration { return max(f.watch, 2*f.idle, f.while) }

// wanted returns the faults that would be measured if time did not matter.
func (r Request) wanted() []fault {
	if len(r.Variants) > 0 {
		all := []fault{quietConnection}
		for _, v := range r.Variants {
			all = append(all, v.fault(r.UnderTest))
		}
		return all
	}
	all := append([]fault{quietConnection}, r.rows()...)
	for _, name := range r.Presets {
		p, _ := presets.Parse(name) // checkPresets knows it
		all = append(all, middlebox(p))
	}
	if len(r.Only) == 0 && r.Protocol != SCTP {
		all = append(all, remedies()...)
	}
	return all
}

// rows returns the faults that become rows of the answer: the chosen ones alone, or those that
// are measured by default, those that the user has added, and those that are promised.
func (r Request) rows() []fault {
	if len(r.Only) > 0 {
		return once(r.named(r.Only))
	}
	faults := slices.DeleteFunc(r.byDefault(), func(f fault) bool { return r.cannotMeasure(f.title()) != nil })
	faults = append(faults, r.named(r.Faults)...)
	return once(append(faults, r.named(r.Expect.Faults())...))
}

// maxTrials is how many trials an audit has at most: each has ports of its own (trial.ports).
const maxTrials = 100

func (r Request) checkNumber() error {
	if n := len(r.wanted()) * len(r.families()); n > maxTrials {
		return fmt.Errorf("the audit has %d trials, and the most is %d: leave out some faults or presets", n, maxTrials)
	}
	return nil
}

// checkTimes reports which of the faults that the user has named is watched for too short a
// time to show anything.
func (r Request) checkTimes() error {
	chosen := r.named(r.Only)
	middleboxes := r.Only
	if len(r.Only) == 0 {
		chosen = slices.Concat(r.named(r.Faults), r.named(r.Expect.Faults()))
		middleboxes = r.Expect.Survives
	}
	for _, name := range middleboxes {
		if canRun(name) {
			p, _ := presets.Parse(name)
			chosen = append(chosen, middlebox(p))
		}
	}
	for _, f := range chosen {
		switch {
		case r.tooLong(f):
			return fmt.Errorf("%s takes %v in real time, and is watched for %v: --watch %v, or without --host", f.title(), f.takes(), r.Watch, f.takes())
		case r.Watch > 0 && !r.RealTime && f.idle > 0 && r.Watch < f.idle+settleTime:
			return fmt.Errorf("%s shows nothing within %v: watch it for longer (--watch), %v at least", f.title(), answer.Seconds(r.Watch), answer.Seconds(f.idle+settleTime))
		}
	}
	return nil
}

// Package promises is what is expected of a program, and whether an audit's answer keeps
// it: expectations that the user has written down, and the answer of an earlier audit.
package promises

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
)

// Promises are expectations. The zero value expects nothing.
type Promises struct {
	// Notices is how long the program may take to notice each fault, by its name as the
	// answer has it, with ", busy" for one that is met with data under way.
	Notices map[string]time.Duration `yaml:"notices"`
	// Survives are the presets behind which an idle session lives on.
	Survives []string `yaml:"survives"`
}

// Result is what came of one promise. It is kept where it is neither broken nor open.
type Result struct {
	Promise string // what is expected, in words
	Broken  string // what is not as expected, in a line for itself
	Open    string // why nobody knows, in a line for itself
}

// name is a row as promises have it.
func name(f answer.Fault) string {
	if f.Load == answer.Busy {
		return f.Name + ", " + answer.Busy
	}
	return f.Name
}

// Validate says what cannot be promised: presets that there are not, and faults of which
// has says why there are not.
func (p Promises) Validate(has func(fault string) error) error {
	for _, fault := range sorted(p.Notices) {
		if err := has(fault); err != nil {
			return fmt.Errorf("notices: %w", err)
		}
		if p.Notices[fault] <= 0 {
			return fmt.Errorf("notices: %q: the time %v must be positive", fault, p.Notices[fault])
		}
	}
	for _, preset := range p.Survives {
		if _, known := presets.Find(preset); !known {
			return fmt.Errorf("survives: there is no preset %q: see 'halfopen presets'", preset)
		}
	}
	return nil
}

// Names are those of the faults and the presets that are promised something.
func (p Promises) Names() []string { return append(sorted(p.Notices), p.Survives...) }

func sorted(notices map[string]time.Duration) []string {
	var names []string
	for fault := range notices {
		names = append(names, fault)
	}
	slices.Sort(names)
	return names
}

// Check is what came of each promise.
func (p Promises) Check(a *answer.Answer) []Result {
	var results []Result
	for _, fault := range sorted(p.Notices) {
		limit := p.Notices[fault]
		r := Result{Promise: fmt.Sprintf("%s: to be noticed within %v", fault, limit)}
		at := slices.IndexFunc(a.Faults, func(f answer.Fault) bool { return name(f) == fault })
		switch {
		case at < 0:
			r.Open = r.Promise + "; it was not measured"
		case a.Faults[at].Verdict == answer.Unmeasured, a.Faults[at].Within > 0 && a.Faults[at].Within.Duration() < limit:
			r.Open = fmt.Sprintf("%s; what happened: %s", r.Promise, a.Faults[at].Words())
		case !inTime(a.Faults[at], limit):
			r.Broken = fmt.Sprintf("%s; what happened: %s", r.Promise, a.Faults[at].Words())
		}
		results = append(results, r)
	}
	for _, preset := range p.Survives {
		r := Result{Promise: preset + ": an idle session is to survive"}
		for _, is := range a.Presets {
			switch {
			case is.Name != preset || is.Outcome == answer.Survives:
			case is.Outcome == answer.Open:
				r.Open = fmt.Sprintf("%s; nobody knows: %s (%s)", r.Promise, is.Why, is.How)
			default:
				r.Broken = fmt.Sprintf("%s; it %s: %s (%s)", r.Promise, is.Outcome, is.Why, is.How)
			}
		}
		results = append(results, r)
	}
	return results
}

// inTime says that the program has noticed within a time, or that there was nothing to
// notice.
func inTime(f answer.Fault, limit time.Duration) bool {
	if f.Verdict == answer.Alive {
		return true
	}
	first := f.Noticed
	if first == nil {
		first = f.Exit
	}
	return first != nil && first.After.Duration() <= limit
}

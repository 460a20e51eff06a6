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

// Result is what came of one promise.
type Result struct {
	Promise string // what is expected, in words
	Broken  string // what is not as expected, in a line for itself; empty: it is kept
}

// Broken are the lines of those that are broken.
func Broken(results []Result) []string {
	var broken []string
	for _, r := range results {
		if r.Broken != "" {
			broken = append(broken, r.Broken)
		}
	}
	return broken
}

// name is a row as promises have it.
func name(f answer.Fault) string {
	if f.Load == answer.Busy {
		return f.Name + ", " + answer.Busy
	}
	return f.Name
}

// Validate says what cannot be promised: faults and presets that there are not.
func (p Promises) Validate(faults []string) error {
	for _, fault := range sorted(p.Notices) {
		if !slices.Contains(faults, fault) {
			return fmt.Errorf("notices: there is no fault %q in this audit: there are %q", fault, faults)
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
		r := Result{Promise: fmt.Sprintf("%s: to be noticed within %v", fault, p.Notices[fault])}
		at := slices.IndexFunc(a.Faults, func(f answer.Fault) bool { return name(f) == fault })
		switch {
		case at < 0:
			r.Broken = r.Promise + "; it was not measured"
		case !inTime(a.Faults[at], p.Notices[fault]):
			r.Broken = fmt.Sprintf("%s; what happened: %s", r.Promise, a.Faults[at].Words())
		}
		results = append(results, r)
	}
	for _, preset := range p.Survives {
		r := Result{Promise: preset + ": an idle session is to survive"}
		for _, is := range a.Presets {
			if is.Name == preset && is.Outcome != answer.Survives {
				r.Broken = fmt.Sprintf("%s; it %s: %s (%s)", r.Promise, said(is.Outcome), is.Why, is.How)
			}
		}
		results = append(results, r)
	}
	return results
}

func said(outcome string) string {
	if outcome == answer.Open {
		return "is unknown whether it does"
	}
	return outcome
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

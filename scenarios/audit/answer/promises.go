package answer

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
)

// Promises are what the user expects of the program. The zero value expects nothing.
type Promises struct {
	// Notices is how long the program may take to notice each fault, by its title as
	// ParseTitle reads it.
	Notices map[string]time.Duration `yaml:"notices"`
	// Recovers is how long after each fault the program works again, by the fault's title, or by
	// its first words where one fault has them: "host rebooted".
	Recovers map[string]time.Duration `yaml:"recovers"`
	// Survives are the presets behind which an idle session survives.
	Survives []string `yaml:"survives"`
}

// Result is the outcome of one promise. With neither Broken nor Open it was kept.
type Result struct {
	Promise string // what is expected, in words
	Broken  string // what is not as expected, in one line
	Open    string // why the outcome is unknown, in one line
}

// Validate reports promises about unknown presets, and about faults for which has returns
// why they are not measured.
func (p Promises) Validate(has func(fault string) error) error {
	for _, fault := range sorted(p.Notices) {
		if err := has(fault); err != nil {
			return fmt.Errorf("notices: %w", err)
		}
		if p.Notices[fault] <= 0 {
			return fmt.Errorf("notices: %q: the duration %v must be positive", fault, p.Notices[fault])
		}
	}
	for _, fault := range sorted(p.Recovers) {
		if err := p.validateRecovery(fault, has); err != nil {
			return fmt.Errorf("recovers: %w", err)
		}
	}
	for _, preset := range p.Survives {
		if _, err := presets.Parse(preset); err != nil {
			return fmt.Errorf("survives: %w", err)
		}
	}
	return nil
}

// Faults returns the titles of the faults that have a promise, in order.
func (p Promises) Faults() []string {
	faults := sorted(p.Notices)
	for _, fault := range sorted(p.Recovers) {
		faults = append(faults, fullTitle(fault))
	}
	return faults
}

func sorted(notices map[string]time.Duration) []string {
	var names []string
	for fault := range notices {
		names = append(names, fault)
	}
	slices.Sort(names)
	return names
}

// Check returns the outcome of each promise.
func (p Promises) Check(a *Answer) []Result {
	results := p.check(a)
	if a.OverIPv6 != nil {
		results = append(results, overIPv6(p.check(a.OverIPv6))...)
	}
	return results
}

// check returns the outcomes of one family.
func (p Promises) check(a *Answer) []Result {
	var results []Result
	for _, fault := range sorted(p.Notices) {
		limit := p.Notices[fault]
		r := Result{Promise: fmt.Sprintf("%s: to be noticed within %v", fault, limit)}
		title := canonical(fault)
		at := slices.IndexFunc(a.Faults, func(f Fault) bool { return f.Title() == title })
		switch {
		case at < 0:
			r.Open = r.Promise + "; it was not measured"
		case a.Faults[at].Verdict == Unmeasured, a.Faults[at].Within > 0 && a.Faults[at].Within.Duration() < limit:
			r.Open = fmt.Sprintf("%s; what happened: %s", r.Promise, a.Faults[at].Words())
		case !inTime(a.Faults[at], limit):
			r.Broken = fmt.Sprintf("%s; what happened: %s", r.Promise, a.Faults[at].Words())
		}
		results = append(results, r)
	}
	for _, fault := range sorted(p.Recovers) {
		results = append(results, a.recovers(fault, p.Recovers[fault]))
	}
	for _, preset := range p.Survives {
		r := Result{Promise: preset + ": an idle session is to survive"}
		name := preset
		if p, err := presets.Parse(preset); err == nil {
			name = p.Name
		}
		for _, is := range a.Presets {
			switch {
			case is.Name != name || is.Outcome == Survives:
			case is.Outcome == Undecided:
				r.Open = fmt.Sprintf("%s; unknown: %s (%s)", r.Promise, is.Why, is.How)
			default:
				r.Broken = fmt.Sprintf("%s; it %s: %s (%s)", r.Promise, is.Outcome, is.Why, is.How)
			}
		}
		results = append(results, r)
	}
	return results
}

// inTime reports whether the program has noticed within a duration, or there was nothing to
// notice.
func inTime(f Fault, limit time.Duration) bool {
	if f.Verdict == Alive {
		return true
	}
	first := f.Noticed
	if first == nil {
		first = f.Exit
	}
	return first != nil && first.After.Duration() <= limit
}

// Package promises is what is expected of a program, and whether an audit's answer keeps
// it: expectations that the user has written down, and the answer of an earlier audit.
package promises

import (
	"fmt"
	"slices"
	"strings"
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

// Broken are the promises that an answer breaks, a line each.
func (p Promises) Broken(a *answer.Answer) []string {
	var broken []string
	for _, fault := range sorted(p.Notices) {
		at := slices.IndexFunc(a.Faults, func(f answer.Fault) bool { return name(f) == fault })
		if at < 0 {
			broken = append(broken, fmt.Sprintf("%s: to be noticed within %v; it was not measured", fault, p.Notices[fault]))
			continue
		}
		if f := a.Faults[at]; !inTime(f, p.Notices[fault]) {
			broken = append(broken, fmt.Sprintf("%s: to be noticed within %v; what happened: %s", fault, p.Notices[fault], f.Words()))
		}
	}
	for _, preset := range p.Survives {
		for _, is := range a.Presets {
			if is.Name == preset && is.Outcome != answer.Survives {
				broken = append(broken, fmt.Sprintf("%s: an idle session is to survive; it %s: %s (%s)", preset, said(is.Outcome), is.Why, is.How))
			}
		}
	}
	return broken
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

// Words says how many promises there are: "2 promises".
func (p Promises) Words() string {
	n := len(p.Notices) + len(p.Survives)
	return strings.TrimSuffix(fmt.Sprintf("%d promises", n), map[bool]string{true: "s"}[n == 1])
}

package measuring

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
)

// Faults are the names of the rows that the answer to a plan has, if time does not matter.
func Faults(p *plan.Plan) []string {
	var names []string
	for _, f := range wanted(p) {
		if f.role == row {
			names = append(names, f.describe())
		}
	}
	return names
}

// Has says, in one line, why the answer to a plan has no such row; nil: it has.
func Has(p *plan.Plan, name string) error {
	names := Faults(p)
	if slices.Contains(names, name) {
		return nil
	}
	for _, f := range faults {
		switch {
		case f.describe() != name:
		case f.byFixture && p.Program(p.UnderTest.Other()) != nil:
			return fmt.Errorf("%q is not done where both sides are programs: only the fixture can be made to do it", name)
		default:
			return fmt.Errorf("%q needs something that the program answers (--send, or send in the file)", name)
		}
	}
	return fmt.Errorf("there is no fault %q: there are %q, and for halfopen run the presets (halfopen presets)", name, names)
}

// Choose leaves only these faults and middleboxes of a plan.
func Choose(p *plan.Plan, names []string) error {
	p.Presets = nil
	for _, name := range names {
		if _, preset := presets.Find(name); preset {
			p.Presets = append(p.Presets, name)
		} else if err := Has(p, name); err != nil {
			return err
		}
	}
	if err := p.CheckPresets(); err != nil {
		return err
	}
	p.Only = names
	return InTime(p, names)
}

// InTime says which of these faults and middleboxes takes longer in real time than is
// watched; others take no time at all.
func InTime(p *plan.Plan, names []string) error {
	for _, f := range wanted(p) {
		if slices.Contains(names, f.describe()) && tooLong(p, f) {
			return fmt.Errorf("%s takes %v in real time, and is watched for %v: --watch %v, or without --host", f.describe(), f.takes(), p.Watch, f.takes())
		}
	}
	return nil
}

// trials are those of a plan; the first one is that in which nothing happens.
func trials(p *plan.Plan) []fault {
	return slices.DeleteFunc(wanted(p), func(f fault) bool { return tooLong(p, f) })
}

// tooLong says whether a trial takes longer than anybody wants to wait in real time.
func tooLong(p *plan.Plan, f fault) bool { return p.RealTime && f.takes() > p.Watch }

// takes is how long a trial must last to show anything; zero: it may show at once.
func (f fault) takes() time.Duration { return max(f.watch, 2*f.idle) }

// wanted are the trials of a plan if time does not matter.
func wanted(p *plan.Plan) []fault {
	all := []fault{nothing}
	for _, f := range faults {
		if f.byFixture && p.Program(p.UnderTest.Other()) != nil || f.busy && p.Send == "" {
			continue
		}
		if len(p.Only) == 0 || slices.Contains(p.Only, f.describe()) {
			all = append(all, f)
		}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(p.Presets))) {
		found, _ := presets.Find(name) // the plan was validated
		all = append(all, middlebox(found))
	}
	if len(p.Only) == 0 {
		all = append(all, remedies()...)
	}
	return all
}

package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// life is a connection over time.
type life struct {
	answer.Connection
	Left, Width template.CSS // on an axis as long as the watch
}

func lifeOf(c answer.Connection, watched answer.Seconds) life {
	share := func(s answer.Seconds) template.CSS {
		return template.CSS(fmt.Sprintf("%.2f%%", 100*float64(s)/float64(max(watched, 1))))
	}
	lasted := watched - c.Opened
	if c.Ended != nil {
		lasted = min(lasted, c.Ended.After)
	}
	return life{c, share(c.Opened), share(lasted)}
}

// faultView is a row of the faults.
type faultView struct {
	answer.Fault
	Marks  []mark
	Ladder string // its identifier; empty: there is none
}

// mark is an event on the axis of detection.
type mark struct {
	Class string // kernel, program, exit or never
	At    template.CSS
	Words string
}

// recoveryView is what came after a fault that ends.
type recoveryView struct {
	answer.Fault
	Until  template.CSS // when the fault ended
	Marks  []mark
	Ladder string
}

func recoveryOf(f answer.Fault, id string) recoveryView {
	r := f.Recovery
	v := recoveryView{Fault: f, Until: detectionAxis.at(r.FaultEnded.Duration()), Ladder: id}
	add := func(class, what string, after answer.Seconds) {
		v.Marks = append(v.Marks, mark{class, detectionAxis.at(after.Duration()), fmt.Sprintf("%s after %v", what, after)})
	}
	if r.GaveUp != nil {
		add("program", "gives its connection up", *r.GaveUp)
	}
	for _, a := range r.Attempts {
		add("attempt", "attempt to connect, "+a.Outcome+",", a.After)
	}
	if after, ok := r.Recovered(); ok {
		add("works", "works again", answer.Of(after))
	}
	return v
}

// presetView is a row of the middleboxes.
type presetView struct {
	answer.Preset
	At     template.CSS
	Ladder string
}

// Class returns the class of the row's outcome: survives, dies, ends-first, unknown.
func (p presetView) Class() string { return strings.ReplaceAll(p.Outcome, " ", "-") }

// Meaning returns what happens to the program, in one line.
func (f faultView) Meaning() string { return scenarios.Meaning(f.Name) }

// Class returns the class of the row's verdict.
func (f faultView) Class() string { return strings.ReplaceAll(f.Verdict, " ", "-") }

func rowOf(f answer.Fault, id string) faultView {
	v := faultView{Fault: f, Ladder: id}
	for _, m := range []struct {
		class, who string
		*answer.Event
	}{{"kernel", "its kernel", f.Kernel}, {"program", "the program", f.Noticed}, {"exit", "the program ends", f.Exit}} {
		if m.Event != nil {
			v.Marks = append(v.Marks, mark{m.class, detectionAxis.at(m.After.Duration()), fmt.Sprintf("%s: %s after %v", m.who, m.What, m.After)})
		}
	}
	return v
}

// verdict returns the answer in a sentence.
func verdict(a *answer.Answer) string {
	var never []string
	noticed, dead := 0, 0
	var slowest *answer.Fault
	for i, f := range a.Faults {
		switch f.Verdict {
		case answer.Never, answer.KernelOnly:
			dead++
			never = append(never, f.Title())
		case answer.Noticing:
			dead++
			noticed++
			if f.Noticed != nil && (slowest == nil || f.Noticed.After > slowest.Noticed.After) {
				slowest = &a.Faults[i]
			}
		}
	}
	switch {
	case dead == 0:
		return "No fault that was tried ended its connection."
	case len(never) == 0:
		return fmt.Sprintf("It notices each of %d faults that end its connection; the slowest is %s, after %v.", dead, slowest.Title(), slowest.Noticed.After)
	case slowest == nil:
		return fmt.Sprintf("It notices none of %d faults that end its connection: %s.", dead, strings.Join(never, "; "))
	}
	return fmt.Sprintf("It does not notice %d of %d faults that end its connection: %s. Of the others the slowest is %s, after %v.",
		len(never), dead, strings.Join(never, "; "), slowest.Title(), slowest.Noticed.After)
}

package page

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Audit writes the page of an audit whose report, with the ladders of its trials, is in a
// directory. A trial without a ladder has none on the page.
func Audit(to io.Writer, a *answer.Answer, directory string) error {
	v := auditView{Answer: a, Verdict: verdict(a), Detection: detectionAxis.ticks(), Timeouts: timeoutAxis.ticks()}
	if len(a.Connections) > 1 {
		for _, c := range a.Connections {
			v.Lives = append(v.Lives, lifeOf(c, a.Watched))
		}
	}
	var ladders []drawn
	add := func(name, capture string) (id string, err error) {
		if capture == "" {
			return "", nil
		}
		l, err := readLadder(filepath.Join(directory, answer.LadderOf(capture)))
		if l == nil || err != nil {
			return "", err
		}
		id = fmt.Sprintf("ladder-%d", len(v.Ladders))
		v.Ladders = append(v.Ladders, heading{id, name})
		ladders = append(ladders, draw(id, capture, l))
		return id, nil
	}
	for _, f := range a.Faults {
		id, err := add(f.Title()+": "+f.Words(), f.Capture)
		if err != nil {
			return err
		}
		v.Faults = append(v.Faults, rowOf(f, id))
		if f.Recovery != nil {
			v.Recoveries = append(v.Recoveries, recoveryOf(f, id))
		}
	}
	presets := slices.Clone(a.Presets)
	slices.SortStableFunc(presets, func(x, y answer.Preset) int { return int(x.Timeout - y.Timeout) })
	for _, p := range presets {
		id, err := add(p.Name+": an idle session "+p.Outcome+": "+p.Why, p.Capture)
		if err != nil {
			return err
		}
		v.Presets = append(v.Presets, presetView{Preset: p, At: timeoutAxis.at(p.Timeout.Duration()), Ladder: id})
	}
	v.Silence = timeoutAxis.at(a.Wire.Silence.Lasted.Duration())
	if a.Advice != nil {
		v.Advice = recipes(a.Advice, a.Program.Side)
	}
	return write(to, "audit.html.tmpl", "halfopen: "+a.Program.Command, ladders, v)
}

// WriteAudit writes the page of an audit as File into the directory of its report.
func WriteAudit(directory string, a *answer.Answer) error {
	return atomicfile.Write(filepath.Join(directory, File), 0o644, func(file *os.File) error { return Audit(file, a, directory) })
}

// readLadder reads a ladder; nil if there is no such file.
func readLadder(file string) (*ladder.Ladder, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a ladder: %w", err)
	}
	l, err := ladder.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

// auditView is what the template of an audit shows.
type auditView struct {
	*answer.Answer
	Verdict             string
	Detection, Timeouts []tick
	Lives               []life // of the connections; none if there is only one
	Faults              []faultView
	Recoveries          []recoveryView
	Presets             []presetView
	Silence             template.CSS // the longest one, on the axis of timeouts
	Advice              []recipe
	Ladders             []heading
}

// heading names a ladder.
type heading struct{ ID, Name string }

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

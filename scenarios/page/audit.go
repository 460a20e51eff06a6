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

// Earlier is the answer of an earlier audit, with which one is compared.
type Earlier struct {
	Name   string // of its report's directory
	Answer *answer.Answer
}

// Audit writes the page of an audit whose report, with the ladders of its trials, is in a
// directory. A trial without a ladder has none on the page. With an earlier audit the page says what
// has changed since; nil: there is none.
func Audit(to io.Writer, a *answer.Answer, directory string, before *Earlier) error {
	l := &ladders{directory: directory, ids: map[string]string{}}
	v := auditView{Answer: a, Verdict: verdict(a)}
	var err error
	if v.Main, err = measuredOf(a, l, ""); err != nil {
		return err
	}
	if a.Advice != nil {
		v.Advice = recipes(a.Advice, a.Program)
		for _, f := range a.Advice.Tried {
			id, err := l.add(f.Name, "", f.Name+": "+f.Words(), f.Capture)
			if err != nil {
				return err
			}
			v.Tried = append(v.Tried, faultView{Fault: f, Ladder: id})
		}
	}
	if over := a.OverIPv6; over != nil && over.Trouble == "" {
		if v.OverIPv6, err = measuredOf(over, l, overIPv6); err != nil {
			return err
		}
		changes, err := a.BetweenFamilies()
		if err != nil {
			return fmt.Errorf("comparing the families: %w", err)
		}
		v.Families = l.link(changes, overIPv6)
		for i, c := range v.Families {
			v.Families[i].WasLadder = l.of(c.What, "")
		}
	}
	if before != nil {
		changes, err := answer.Changes(before.Answer, a)
		if err != nil {
			return err
		}
		v.Before, v.Changes = before.Name, l.link(changes, "")
	}
	v.Ladders = l.headings
	return write(to, "audit.html.tmpl", "halfopen: "+a.Program.Command, l.drawn, v)
}

// WriteAudit writes the page of an audit as File into the directory of its report.
func WriteAudit(directory string, a *answer.Answer, before *Earlier) error {
	return atomicfile.Write(filepath.Join(directory, File), 0o644, func(file *os.File) error { return Audit(file, a, directory, before) })
}

// measuredOf returns what was measured over one family, and adds its ladders.
func measuredOf(a *answer.Answer, l *ladders, family string) (*measured, error) {
	m := &measured{Answer: a, Detection: detectionAxis.ticks(), Timeouts: timeoutAxis.ticks(), Silence: timeoutAxis.at(a.Wire.Silence.Lasted.Duration())}
	if len(a.Connections) > 1 {
		for _, c := range a.Connections {
			m.Lives = append(m.Lives, lifeOf(c, a.Watched))
		}
	}
	for _, f := range a.Faults {
		id, err := l.add(f.Title(), family, f.Title()+": "+f.Words(), f.Capture)
		if err != nil {
			return nil, err
		}
		m.Faults = append(m.Faults, rowOf(f, id))
		if f.Recovery != nil {
			m.Recoveries = append(m.Recoveries, recoveryOf(f, id))
		}
	}
	presets := slices.Clone(a.Presets)
	slices.SortStableFunc(presets, func(x, y answer.Preset) int { return int(x.Timeout - y.Timeout) })
	for _, p := range presets {
		id, err := l.add("behind "+p.Name, family, p.Name+": an idle session "+p.Outcome+": "+p.Why, p.Capture)
		if err != nil {
			return nil, err
		}
		m.Presets = append(m.Presets, presetView{Preset: p, At: timeoutAxis.at(p.Timeout.Duration()), Ladder: id})
	}
	return m, nil
}

// overIPv6 stands before the names of ladders over IPv6 where both families were audited.
const overIPv6 = "over IPv6: "

// ladders are those of an audit's page.
type ladders struct {
	directory string // of the report
	headings  []heading
	drawn     []drawn
	ids       map[string]string // by the family and the part of the answer that they show
}

// add adds the ladder of a part of the answer, which is in the file beside a capture, and returns
// its identifier; empty: there is none.
func (l *ladders) add(part, family, title, capture string) (id string, err error) {
	if capture == "" {
		return "", nil
	}
	read, err := readLadder(filepath.Join(l.directory, answer.LadderOf(capture)))
	if read == nil || err != nil {
		return "", err
	}
	id = fmt.Sprintf("ladder-%d", len(l.headings))
	l.headings = append(l.headings, heading{id, family + title})
	l.drawn = append(l.drawn, draw(id, capture, read))
	l.ids[family+part] = id
	return id, nil
}

// of returns the identifier of the ladder that shows a part of the answer of a family; empty: none
// does.
func (l *ladders) of(part, family string) string {
	return l.ids[family+strings.TrimSuffix(part, ", recovery")]
}

// link adds to changes the ladders of what is, over a family.
func (l *ladders) link(changes []answer.Change, family string) (all []changeView) {
	for _, c := range changes {
		all = append(all, changeView{Change: c, IsLadder: l.of(c.What, family)})
	}
	return all
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
	Verdict        string
	Main, OverIPv6 *measured // OverIPv6 is nil unless both families were measured
	Families       []changeView
	Before         string // the directory of an earlier audit; empty: there is none
	Changes        []changeView
	Advice         []recipe
	Tried          []faultView
	Ladders        []heading
}

// measured is what was measured over one family.
type measured struct {
	*answer.Answer
	Detection, Timeouts []tick
	Lives               []life // of the connections; none if there is only one
	Faults              []faultView
	Recoveries          []recoveryView
	Presets             []presetView
	Silence             template.CSS // the longest one, on the axis of timeouts
}

// heading names a ladder.
type heading struct{ ID, Name string }

package page

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// Explored writes the page of an exploration whose directory, with the stories of its findings,
// is named.
func Explored(to io.Writer, e *explore.Explored, directory string) error {
	v := exploredView{Explored: e}
	var ladders []drawn
	for i, f := range e.Findings {
		fv := findingView{Finding: f, Number: i + 1, Command: e.Command + " " + f.Smallest.Flags()}
		if f.Kept != "" {
			l, err := readLadder(filepath.Join(directory, f.Kept, ladder.File))
			if err != nil {
				return err
			}
			if l != nil {
				fv.Ladder = fmt.Sprintf("ladder-%d", len(v.Ladders))
				v.Ladders = append(v.Ladders, heading{fv.Ladder, fmt.Sprintf("%d. %s: %s", i+1, f.Invariant, f.Smallest.Words())})
				ladders = append(ladders, draw(fv.Ladder, path.Join(f.Kept, explore.PacketsFile), l))
			}
		}
		v.Findings = append(v.Findings, fv)
	}
	for _, r := range e.Rows {
		row := mapRow{Name: r.Words()}
		for i, f := range e.Findings {
			if f.Fault == r.Fault {
				row.Findings = append(row.Findings, i+1)
			}
		}
		row.Stretches = stretches(r.Cells, e.Instants)
		v.Rows = append(v.Rows, row)
	}
	for _, event := range e.Quiet.Events {
		column, _ := slices.BinarySearch(e.Instants, event.At)
		at := template.CSS(fmt.Sprintf("%.2f%%", 100*(float64(min(column, len(e.Instants)-1))+.5)/float64(len(e.Instants))))
		v.Events = append(v.Events, eventView{at, fmt.Sprintf("%.6f s", event.At.Seconds()), event.What})
	}
	return write(to, "explored.html.tmpl", "halfopen explore: "+e.Quiet.Of, ladders, v)
}

// WriteExplored writes the page of an exploration as File into its directory.
func WriteExplored(directory string, e *explore.Explored) error {
	return atomicfile.Write(filepath.Join(directory, File), 0o644, func(file *os.File) error { return Explored(file, e, directory) })
}

// exploredView is what the template of an exploration shows.
type exploredView struct {
	*explore.Explored
	Findings []findingView
	Rows     []mapRow
	Events   []eventView
	Ladders  []heading
}

// Verdict returns what was found in a sentence.
func (v exploredView) Verdict() string {
	text := fmt.Sprintf("All invariants held in %d runs.", v.Made-v.Troubled())
	if v.Broken > 0 {
		text = fmt.Sprintf("%d of %d runs broke an invariant.", v.Broken, v.Made)
	}
	if n := v.Troubled(); n > 0 {
		text += fmt.Sprintf(" %d runs show nothing.", n)
	}
	if !v.Complete() {
		text += fmt.Sprintf(" %d of %d runs were made.", v.Made, v.Wanted)
	}
	return text
}

// findingView is a finding.
type findingView struct {
	explore.Finding
	Number  int
	Command string
	Ladder  string // its identifier; empty: there is none
}

// mapRow is a row of the map.
type mapRow struct {
	Name      string
	Findings  []int // the numbers of those of its fault
	Stretches []stretch
}

// stretch is neighbouring cells of one kind.
type stretch struct {
	Class, Words string
	Width        template.CSS
}

// eventView is an event of the quiet run, at its column of the map.
type eventView struct {
	Left     template.CSS
	At, What string
}

// stretches joins the cells of a row.
func stretches(cells string, instants []time.Duration) (all []stretch) {
	kinds := map[byte][2]string{explore.Held: {"held", "all invariants held"}, explore.Violated: {"broke", "an invariant was broken"}, explore.Unknown: {"unsure", "the run shows nothing"}}
	for from := 0; from < len(cells); {
		to := from
		for to < len(cells) && cells[to] == cells[from] {
			to++
		}
		kind, ok := kinds[cells[from]]
		if !ok {
			kind = [2]string{"not", "no run was made"}
		}
		all = append(all, stretch{kind[0], fmt.Sprintf("%s, %v to %v", kind[1], instants[from], instants[to-1]),
			template.CSS(fmt.Sprintf("%.3f%%", 100*float64(to-from)/float64(len(cells))))})
		from = to
	}
	return all
}

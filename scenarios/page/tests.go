package page

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/timeline"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Tests writes the page of a test run whose report is in a directory: what failed, with what was
// expected and seen; the packages; where they are known, the behaviours of the catalogue and the
// detection matrix, whose cells open the ladder of the connection that measured them. Before is
// the report of another run, with which the run is compared; empty: there is none.
func Tests(to io.Writer, directory, before string) error {
	run, err := readRun(directory)
	if err != nil {
		return err
	}
	v := testsView{run: run, Behaviours: run.behaviours()}
	var ladders []drawn
	ids := map[string]string{} // by the file below the report
	add := func(file, title string) (string, *ladder.Ladder, error) {
		l, err := readLadder(filepath.Join(directory, file))
		if l == nil || err != nil {
			return "", nil, err
		}
		id := fmt.Sprintf("ladder-%d", len(v.Ladders))
		ids[file] = id
		v.Ladders = append(v.Ladders, heading{id, cmp.Or(title, l.Title)})
		packets := path.Join(path.Dir(file), "packets.pcapng")
		if missing(filepath.Join(directory, packets)) { // a ladder that was kept stands alone
			packets = ""
		}
		ladders = append(ladders, draw(id, packets, l))
		return id, l, nil
	}
	evidence, err := evidenceOf(directory)
	if err != nil {
		return err
	}
	for _, file := range evidence {
		id, l, err := add(file, "")
		if err != nil {
			return err
		}
		for i := range v.run.Red {
			if red := &v.run.Red[i]; red.Name == l.Title {
				red.Ladder, red.Verdicts, red.Standings = id, verdicts(l), l.Standings()
				red.Ended = fmt.Sprintf("%.3f", l.Ended.Seconds())
			}
		}
	}
	if v.Matrix, err = heat(directory, func(name string) (string, error) {
		id, _, err := add(path.Join(report.Ladders, name+".json"), "")
		return id, err
	}); err != nil {
		return err
	}
	kept, err := keptLadders(directory)
	if err != nil {
		return err
	}
	for _, file := range kept {
		if ids[file] != "" { // a cell has it
			continue
		}
		if _, _, err := add(file, ""); err != nil {
			return err
		}
	}
	if before != "" {
		if v.Changes, err = run.changesSince(before); err != nil {
			return err
		}
		cells, err := cellsSince(before, directory, func(name string) string { return ids[path.Join(report.Ladders, name+".json")] })
		if err != nil {
			return err
		}
		v.Before, v.Changes = before, append(v.Changes, cells...)
	}
	return write(to, "tests.html.tmpl", "halfopen: "+run.Verdict(), ladders, v)
}

// WriteTests writes the page of a test run as File into the directory of its report.
func WriteTests(directory, before string) error {
	return atomicfile.Write(filepath.Join(directory, File), 0o644, func(file *os.File) error { return Tests(file, directory, before) })
}

// evidenceOf returns the ladders of failed tests, as files below the report.
func evidenceOf(directory string) (files []string, err error) {
	err = filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(directory, file)
		if err == nil && entry.Name() == ladder.File && slices.Contains(strings.Split(relative, "/"), report.Failed) {
			files = append(files, relative)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for evidence: %w", err)
	}
	return files, nil
}

// keptLadders returns the ladders that tests have kept, as files below the report.
func keptLadders(directory string) (files []string, err error) {
	err = filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(directory, file)
		if err == nil && path.Base(path.Dir(relative)) == report.Ladders && path.Ext(relative) == ".json" {
			files = append(files, relative)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for ladders: %w", err)
	}
	return files, nil
}

// testsView is what the template of a test run shows.
type testsView struct {
	*run
	Behaviours []behaviour
	Matrix     []heatTable
	Before     string
	Changes    []changeView
	Ladders    []heading
}

// run is a test run as its report has it.
type run struct {
	Packages []packageView
	Red      []red
	Passed   int
	Skipped  int
	specs    types.SpecReports
}

// packageView sums the tests of a package up.
type packageView struct {
	Name                    string
	Passed, Failed, Skipped int
	Longest                 time.Duration
	Tests                   []testView
}

// testView is one test.
type testView struct {
	Name  string
	State string
	Took  string
}

// red is a failed test.
type red struct {
	Name, Place, Message string
	Ladder               string // its identifier; empty: there is none
	Verdicts             []window
	Ended                string            // when the ladder ends, in seconds
	Standings            []ladder.Standing // how its hosts stand then; none in ladders of earlier versions
	key                  string            // of the test in states
}

func readRun(directory string) (*run, error) {
	suites, err := shard.Read(directory)
	if err != nil {
		return nil, err
	}
	r := &run{}
	for _, suite := range suites {
		p := packageView{Name: suite.SuitePath}
		for _, spec := range suite.SpecReports {
			if spec.LeafNodeType != types.NodeTypeIt && !spec.Failed() {
				continue
			}
			switch {
			case spec.State.Is(types.SpecStateSkipped | types.SpecStatePending):
				if spec.Failure.Message == "" {
					continue // a focus left it out
				}
				p.Skipped++
				r.Skipped++
			case spec.Failed():
				p.Failed++
				r.Red = append(r.Red, red{Name: nameOf(spec), Place: placeOf(spec), Message: withoutTimeline(spec.Failure.Message), key: p.Name + ": " + nameOf(spec)})
			default:
				p.Passed++
				r.Passed++
			}
			p.Longest = max(p.Longest, spec.RunTime)
			p.Tests = append(p.Tests, testView{nameOf(spec), spec.State.String(), ladder.InWords(spec.RunTime)})
			r.specs = append(r.specs, spec)
		}
		if len(p.Tests) > 0 {
			r.Packages = append(r.Packages, p)
		}
	}
	return r, nil
}

// timelineBelow is where the text of a failure begins to show the timeline, which the ladder has.
// Package testing indents the text.
var timelineBelow = regexp.MustCompile(`(?m)^\s*The last events of the timeline:`)

// withoutTimeline returns the text of a failure without the timeline below it, and without the
// indentation of its lines.
func withoutTimeline(message string) string {
	if at := timelineBelow.FindStringIndex(message); at != nil {
		message = message[:at[0]]
	}
	lines := strings.Split(strings.TrimRight(message, " \n"), "\n")
	indentation := math.MaxInt
	for _, line := range lines {
		if line != "" {
			indentation = min(indentation, len(line)-len(strings.TrimLeft(line, " ")))
		}
	}
	for i, line := range lines {
		lines[i] = line[min(indentation, len(line)):]
	}
	return strings.Join(lines, "\n")
}

// placeOf returns where a test failed; empty: its text says it.
func placeOf(spec types.SpecReport) string {
	if spec.Failure.Location.FileName == "" {
		return ""
	}
	return spec.Failure.Location.String()
}

// nameOf returns the name of a test: of what stands around tests, its kind.
func nameOf(spec types.SpecReport) string {
	return cmp.Or(spec.FullText(), spec.LeafNodeType.String())
}

// Verdict returns the run in a sentence.
func (r *run) Verdict() string {
	text := fmt.Sprintf("%d of %d tests passed", r.Passed, r.Passed+len(r.Red))
	if r.Skipped > 0 {
		text += fmt.Sprintf(", %d were skipped", r.Skipped)
	}
	return text
}

// behaviour is a row of the catalogue.
type behaviour struct {
	catalogue.Row
	State string // shown, failed, skipped or not run
}

// behaviours returns the rows of the catalogue; none if no test names one.
func (r *run) behaviours() (all []behaviour) {
	states := map[string]string{}
	for _, spec := range r.specs {
		for _, label := range spec.Labels() {
			switch {
			case !catalogue.Known(label):
			case spec.Failed():
				states[label] = "failed"
			case states[label] == "failed":
			case spec.State.Is(types.SpecStatePassed):
				states[label] = "shown"
			case states[label] == "":
				states[label] = "skipped"
			}
		}
	}
	if len(states) == 0 {
		return nil
	}
	for _, row := range catalogue.Rows {
		all = append(all, behaviour{row, cmp.Or(states[row.ID], "not run")})
	}
	return all
}

// window is an expectation and what came of it, on an axis of their own.
type window struct {
	Text                           string
	Left, Width, Instant           template.CSS
	Opens, Closes, Came, From, End string
}

// verdicts returns the expectations that failed.
func verdicts(l *ladder.Ladder) (all []window) {
	for _, r := range l.Rungs {
		if r.Kind != ladder.Kind(timeline.Verdict) {
			continue
		}
		from, end := min(r.Opens, r.At), max(r.Closes, r.At)
		margin := max((end-from)/8, time.Millisecond)
		from, end = from-margin, end+margin
		at := func(d time.Duration) template.CSS {
			return template.CSS(fmt.Sprintf("%.2f%%", 100*float64(d)/float64(end-from)))
		}
		seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }
		all = append(all, window{
			Text: r.Text, Left: at(r.Opens - from), Width: at(r.Closes - r.Opens), Instant: at(r.At - from),
			Opens: seconds(r.Opens), Closes: seconds(r.Closes), Came: seconds(r.At), From: seconds(from), End: seconds(end),
		})
	}
	return all
}

// IsTests reports whether a directory has the report of a test run.
func IsTests(directory string) bool {
	_, err := os.Stat(filepath.Join(directory, shard.JSONFile))
	return !errors.Is(err, fs.ErrNotExist)
}

package shard

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/report"
)

// A Report is the report of a shard: its part and the directory that holds it.
type Report struct {
	Part
	Directory string
}

// Open reads the parts in some directories, in any order, and returns them in the order
// of the shards. Parts of different runs, and two of one shard, are an error.
func Open(directories ...string) ([]Report, error) {
	var reports []Report
	for _, directory := range directories {
		part, err := ReadPart(directory)
		if err != nil {
			return nil, err
		}
		reports = append(reports, Report{part, directory})
	}
	slices.SortFunc(reports, func(a, b Report) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Directory, b.Directory))
	})
	for i, r := range reports[:max(0, len(reports)-1)] {
		next := reports[i+1]
		if r.Shard == next.Shard {
			return nil, fmt.Errorf("%s and %s are both shard %d", r.Directory, next.Directory, r.Shard)
		}
		if difference := r.Run.differs(next.Run); difference != "" {
			return nil, fmt.Errorf("%s and %s are of two runs, which differ in their %s", r.Directory, next.Directory, difference)
		}
	}
	return reports, nil
}

// Complete returns an error that names the shards that are missing.
func Complete(reports []Report) error {
	if len(reports) == 0 {
		return errors.New("there is no report of a shard to join")
	}
	covered := map[int]int{} // the shard of each place
	absent := map[int]bool{}
	for n := 1; n <= Count; n++ {
		absent[n] = true
	}
	for _, r := range reports {
		delete(absent, r.Shard)
		for _, place := range r.Places {
			if other, twice := covered[place]; twice || place < 0 || place >= r.Run.Units {
				return fmt.Errorf("%s cannot be joined: the tests of shard %d are those of another version of this program, or of shard %d", r.Directory, r.Shard, other)
			}
			covered[place] = r.Shard
		}
	}
	if len(covered) == reports[0].Run.Units {
		return nil
	}
	var missing []string
	for n := 1; n <= Count; n++ {
		if absent[n] {
			missing = append(missing, fmt.Sprintf("%d/%d", n, Count))
		}
	}
	return fmt.Errorf("%d of %d tests are missing: there is no report of shard %s", reports[0].Run.Units-len(covered), reports[0].Run.Units, strings.Join(missing, " "))
}

// Join makes one report of those of the shards, in a directory, as if one guest had run
// all tests. Reasons say what is missing, if anything is: each suite's report then says
// that it has failed. It returns a report for each suite, in the order of the list.
func Join(into string, parts []Report, reasons ...string) ([]types.Report, error) {
	suites := map[Suite]*joined{}
	for _, part := range parts {
		if len(part.Places) == 0 {
			continue
		}
		reports, err := Read(part.Directory)
		if err != nil {
			return nil, err
		}
		if len(reports) != len(part.Suites) {
			return nil, fmt.Errorf("%s has the reports of %d suites, and not of %d", part.Directory, len(reports), len(part.Suites))
		}
		for i, section := range part.Suites {
			if len(reports[i].SpecReports) != len(section.Places) {
				return nil, fmt.Errorf("%s has the reports of %d tests of %s, and not of %d", part.Directory, len(reports[i].SpecReports), section.Package, len(section.Places))
			}
			if suites[section.Suite] == nil {
				suites[section.Suite] = &joined{}
			}
			suites[section.Suite].add(reports[i], section.Places)
		}
		if err := copyEvidence(into, part.Directory); err != nil {
			return nil, err
		}
	}
	if len(suites) == 0 {
		return nil, errors.New(strings.Join(reasons, "\n"))
	}
	var all []types.Report
	for _, j := range inOrder(suites) {
		report := j.inOrder()
		for _, reason := range reasons {
			addReason(&report, reason)
		}
		all = append(all, report)
	}
	return all, Write(into, all)
}

// joined is the report of a suite while those of its shards are added.
type joined struct {
	report types.Report
	places []int // of each of its tests
}

// first returns the first place of the suite in the list.
func (j *joined) first() int {
	first := -1
	for _, place := range j.places {
		if place != around && (first < 0 || place < first) {
			first = place
		}
	}
	return first
}

// inOrder returns suites in the order of the list.
func inOrder(suites map[Suite]*joined) (all []*joined) {
	for _, j := range suites {
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b *joined) int { return cmp.Compare(a.first(), b.first()) })
	return all
}

// add adds the report of another shard.
func (j *joined) add(r types.Report, places []int) {
	if j.places == nil {
		j.report, j.places = r, places
		return
	}
	all := &j.report
	all.SuiteSucceeded = all.SuiteSucceeded && r.SuiteSucceeded
	all.SuiteHasProgrammaticFocus = all.SuiteHasProgrammaticFocus || r.SuiteHasProgrammaticFocus
	for _, reason := range r.SpecialSuiteFailureReasons {
		addReason(all, reason)
	}
	all.PreRunStats.SpecsThatWillRun += r.PreRunStats.SpecsThatWillRun
	all.RunTime = max(all.RunTime, r.RunTime)
	if r.StartTime.Before(all.StartTime) {
		all.StartTime = r.StartTime
	}
	if r.EndTime.After(all.EndTime) {
		all.EndTime = r.EndTime
	}
	all.SpecReports = append(all.SpecReports, r.SpecReports...)
	j.places = append(j.places, places...)
}

// inOrder returns the report with its tests in the order of the list, and after them what
// has failed around them.
func (j *joined) inOrder() types.Report {
	order := make([]int, len(j.places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		last := map[bool]int{true: 1}
		return cmp.Or(last[j.places[a] == around]-last[j.places[b] == around], cmp.Compare(j.places[a], j.places[b]))
	})
	report := j.report
	report.SpecReports = nil
	for _, i := range order {
		report.SpecReports = append(report.SpecReports, j.report.SpecReports[i])
	}
	return report
}

// copyEvidence copies what tests have left: the directories named report.Failed and report.Ladders.
func copyEvidence(into, from string) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || entry.Name() != report.Failed && entry.Name() != report.Ladders {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if err := copyFiles(filepath.Join(into, relative), path); err != nil {
			return err
		}
		return fs.SkipDir
	})
	if err != nil {
		return fmt.Errorf("copying the evidence of tests: %w", err)
	}
	return nil
}

// copyFiles copies the files below a directory.
func copyFiles(into, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(into, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return atomicfile.WriteFile(to, content, 0o644)
	})
}

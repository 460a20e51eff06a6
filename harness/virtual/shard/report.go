package shard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// SuiteReport is the report of a suite, or of the part of it that a shard has run.
type SuiteReport struct {
	Suite
	Report types.Report
	// Broken says why the suite is red whatever its tests say, and why tests are missing
	// that it was to run; empty: neither is so.
	Broken string
}

// Read reads the report in a directory.
func Read(directory string) ([]types.Report, error) {
	file := filepath.Join(directory, JSONFile)
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the report of a run: %w", err)
	}
	var reports []types.Report
	if err := inputfile.Unmarshal(content, &reports); err != nil {
		return nil, fmt.Errorf("reading the report of a run, %s: %w", file, err)
	}
	return reports, nil
}

// Write writes reports as JSON and as JUnit's XML.
func Write(directory string, reports []types.Report) error {
	// Both files get their names when they are whole.
	work, err := os.MkdirTemp(directory, atomicfile.Prefix)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	var parts []string
	var errs []error
	for i, report := range reports {
		name := filepath.Join(work, fmt.Sprintf("%d-", i))
		parts = append(parts, name)
		errs = append(errs, reporters.GenerateJSONReport(report, name+JSONFile), writeJUnit(report, name+JUnitFile))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, merge := range []struct {
		into string
		of   func(sources []string, into string) ([]string, error)
	}{
		{JSONFile, reporters.MergeAndCleanupJSONReports}, {JUnitFile, reporters.MergeAndCleanupJUnitReports},
	} {
		var sources []string
		for _, part := range parts {
			sources = append(sources, part+merge.into)
		}
		trouble, err := merge.of(sources, filepath.Join(work, merge.into))
		if err != nil {
			return err
		}
		if len(trouble) > 0 {
			return fmt.Errorf("writing the report %s: %q", merge.into, trouble)
		}
		errs = append(errs, os.Rename(filepath.Join(work, merge.into), filepath.Join(directory, merge.into)))
	}
	return errors.Join(errs...)
}

// writeJUnit writes a report as JUnit's XML, in which plain tests have the names that go
// test gives to them.
func writeJUnit(report types.Report, file string) error {
	plain := report.SuiteDescription == report.SuitePath
	return reporters.GenerateJUnitReportWithConfig(report, file, reporters.JunitReportConfig{OmitLeafNodeType: plain})
}

// Write writes the report of a shard, and the part beside it, of what its suites report:
// of each suite the part that the shard was to run, in the order of the list. A shard
// without units needs no guest, and its report is the part alone. Write returns the
// reports.
func (p Part) Write(directory string, l List, suites []SuiteReport) ([]types.Report, error) {
	p.Version, p.Of = version, Count
	p.Run.List, p.Run.Units = l.digest(), len(l)
	if len(p.Places) == 0 {
		return nil, p.write(directory)
	}
	var reports []types.Report
	for _, s := range suites {
		report, places := l.pick(s, l.Of(s.Suite, p.Places))
		reports = append(reports, report)
		p.Suites = append(p.Suites, Section{s.Suite, places})
	}
	return reports, errors.Join(Write(directory, reports), p.write(directory))
}

// Pick returns the reports of a run that was not cut into shards, in the order of the
// list.
func (l List) Pick(suites []SuiteReport) (reports []types.Report) {
	for _, s := range suites {
		report, _ := l.pick(s, l.Of(s.Suite, l.All()))
		reports = append(reports, report)
	}
	return reports
}

// around is the place of what is reported around the tests, such as a failed set-up.
const around = -1

// pick reduces the report of a suite to the units at some places, in the order of the
// list, and to what has failed around them. A unit without a report has not run. With the
// report come the places of its tests.
func (l List) pick(s SuiteReport, places []int) (types.Report, []int) {
	units := map[identity][]int{}
	for _, place := range places {
		id := l[place].identity()
		units[id] = append(units[id], place)
	}
	specs := map[int]types.SpecReports{}
	var other types.SpecReports
	seen := map[identity]int{}
	for _, spec := range s.Report.SpecReports {
		id := s.identityOf(spec)
		switch of := units[id]; {
		case spec.LeafNodeType == types.NodeTypeIt && len(of) > 0:
			place := of[seen[id]%len(of)]
			seen[id]++
			specs[place] = append(specs[place], spec)
		case spec.LeafNodeType != types.NodeTypeIt && spec.Failed():
			other = append(other, spec)
		}
	}
	report := s.Report
	report.SpecReports = nil
	var of []int
	missing := 0
	for _, place := range places {
		if len(specs[place]) == 0 {
			missing++
			specs[place] = types.SpecReports{l[place].notRun(s.Broken)}
		}
		for _, spec := range specs[place] {
			report.SpecReports = append(report.SpecReports, spec)
			of = append(of, place)
		}
	}
	why := s.Broken
	if missing > 0 && why == "" {
		why = fmt.Sprintf("%d tests of the list did not run: the list differs from one start of the test binary to the next", missing)
	}
	if why != "" {
		addReason(&report, why)
		other = append(other, broken(why))
	}
	for _, spec := range other {
		report.SpecReports = append(report.SpecReports, spec)
		of = append(of, around)
	}
	return report, of
}

// notRun is the report of a unit that has none.
func (u Unit) notRun(why string) types.SpecReport {
	message := "it did not run"
	if why != "" {
		message += ": " + why
	}
	return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: u.Name, State: types.SpecStateSkipped,
		Failure: types.Failure{Message: message, FailureNodeType: types.NodeTypeIt}}
}

// broken says in a place of its own, as JUnit's readers look for one, why a suite is red
// whatever its tests say.
func broken(why string) types.SpecReport {
	return types.SpecReport{LeafNodeType: types.NodeTypeCleanupAfterSuite, LeafNodeText: "the test binary", State: types.SpecStateFailed,
		Failure: types.Failure{Message: why, FailureNodeType: types.NodeTypeCleanupAfterSuite}}
}

// Unbuilt returns the report of a package that does not compile with its tests.
func Unbuilt(path, why string) types.Report {
	r := types.Report{SuitePath: path, SuiteDescription: path, SpecReports: types.SpecReports{broken(why)}}
	addReason(&r, why)
	return r
}

// addReason makes a report red, unless the reason is empty.
func addReason(report *types.Report, reason string) {
	if reason == "" {
		return
	}
	report.SuiteSucceeded = false
	if !slices.Contains(report.SpecialSuiteFailureReasons, reason) {
		report.SpecialSuiteFailureReasons = append(report.SpecialSuiteFailureReasons, reason)
	}
}

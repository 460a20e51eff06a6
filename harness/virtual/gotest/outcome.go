package gotest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/inputfile"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// outcome is what has come of a start.
type outcome struct {
	start
	status int
	began  time.Time
	took   time.Duration
	files  string // the directory on this machine with the files that it has left
	missed bool   // it was not started, because the run ended before
}

// output is what it has printed.
func (o outcome) output() string {
	content, err := os.ReadFile(filepath.Join(o.files, outputFile))
	if err != nil {
		return ""
	}
	return string(content)
}

// lastLines is how many lines of a test binary's output are quoted when the tests cannot
// say themselves what went wrong.
const lastLines = 40

// printed is the end of a text, as the end of a sentence about what has printed it.
func printed(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ", and printed nothing"
	}
	return ". It printed:\n" + strings.Join(lines[max(0, len(lines)-lastLines):], "\n")
}

// reports makes a report for each suite of what has come of its starts.
func (t *Tests) reports(outcomes []outcome) ([]shard.SuiteReport, error) {
	var all []shard.SuiteReport
	for _, o := range outcomes {
		one, err := t.report(o)
		if err != nil {
			return nil, err
		}
		if last := len(all) - 1; last >= 0 && all[last].Suite == one.Suite {
			addStart(&all[last], one)
			continue
		}
		all = append(all, one)
	}
	return all, nil
}

// addStart adds the report of a further start of a suite.
func addStart(all *shard.SuiteReport, one shard.SuiteReport) {
	all.Report.SuiteSucceeded = all.Report.SuiteSucceeded && one.Report.SuiteSucceeded
	all.Report.RunTime += one.Report.RunTime
	all.Report.EndTime = one.Report.EndTime
	all.Report.SpecReports = append(all.Report.SpecReports, one.Report.SpecReports...)
	all.Report.SpecialSuiteFailureReasons = append(all.Report.SpecialSuiteFailureReasons, one.Report.SpecialSuiteFailureReasons...)
	if all.Broken == "" {
		all.Broken = one.Broken
	}
}

// report makes a report of what has come of one start.
func (t *Tests) report(o outcome) (shard.SuiteReport, error) {
	r := shard.SuiteReport{Suite: o.id()}
	var err error
	switch {
	case o.missed:
		r.Broken = "the run was ended early"
	case o.ginkgo == "":
		r.Report, r.Broken, err = plainReport(o)
	default:
		r.Report, r.Broken, err = ginkgoReport(o)
	}
	if o.ginkgo == "" || r.Report.SuiteDescription == "" { // of Ginkgo's the rest is there
		r.Report.SuiteDescription = o.description
		r.Report.SuiteConfig.RandomSeed = o.seed
		r.Report.PreRunStats = types.PreRunStats{TotalSpecs: len(o.units), SpecsThatWillRun: len(o.units)}
		r.Report.StartTime, r.Report.EndTime, r.Report.RunTime = o.began, o.began.Add(o.took), o.took
	}
	// Where the source is on this machine, and the texts that a shard was given, are not
	// the run's.
	r.Report.SuitePath = o.path
	r.Report.SuiteConfig.FocusStrings = nil
	if t.focus != "" {
		r.Report.SuiteConfig.FocusStrings = []string{t.focus}
	}
	return r, err
}

// ginkgoReport reads the report that Ginkgo has written. Broken says why it says less than
// it should.
func ginkgoReport(o outcome) (report types.Report, broken string, err error) {
	reports, err := readGinkgo(filepath.Join(o.files, ginkgoFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(reports) == 0 {
		return report, fmt.Sprintf("the test binary ended with status %d and left no report%s", o.status, printed(o.output())), nil
	}
	if err != nil {
		return report, "", err
	}
	report = reports[0]
	if o.status != 0 && report.SuiteSucceeded && !report.SuiteHasProgrammaticFocus {
		broken = fmt.Sprintf("the test binary ended with status %d although its specs passed%s", o.status, printed(o.output()))
	}
	return report, broken, nil
}

// readGinkgo reads a file with Ginkgo's reports.
func readGinkgo(file string) (reports []types.Report, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := inputfile.Unmarshal(content, &reports); err != nil {
		return nil, fmt.Errorf("reading Ginkgo's report, %s: %w", file, err)
	}
	return reports, nil
}

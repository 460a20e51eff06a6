package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// Read reads the report in a directory.
func Read(directory string) ([]types.Report, error) {
	file := filepath.Join(directory, JSONFile)
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the report of a run: %w", err)
	}
	var reports []types.Report
	if err := json.Unmarshal(content, &reports); err != nil {
		return nil, fmt.Errorf("reading the report of a run, %s: %w", file, err)
	}
	if len(reports) == 0 { // Ginkgo's own was not there to merge
		return nil, fmt.Errorf("reading the report of a run, %s: it is empty: the test processes ended before they could report", file)
	}
	return reports, nil
}

// write writes a report as JSON and as JUnit's XML.
func write(directory string, report types.Report) error {
	return errors.Join(
		reporters.GenerateJSONReport(report, filepath.Join(directory, JSONFile)),
		reporters.GenerateJUnitReport(report, filepath.Join(directory, JUnitFile)))
}

// Write makes the report of a shard of what its guest has left in a directory, and puts
// the part beside it. Every guest knows all specs: those of other shards go. A shard
// without specs needs no guest, and its report is the part alone. Write returns what the
// specs report.
func (p Part) Write(directory string, l List) (types.Report, error) {
	p.Version, p.Of = version, Count
	p.Run.List, p.Run.Specs = l.digest(), len(l)
	if len(p.Places) == 0 {
		return types.Report{}, p.write(directory)
	}
	reports, err := Read(directory)
	if err != nil {
		return types.Report{}, err
	}
	report := reports[0]
	// What the guest was told is the list, and not the focus that has made it.
	report.SuiteConfig.FocusStrings = nil
	if p.Run.Focus != "" {
		report.SuiteConfig.FocusStrings = []string{p.Run.Focus}
	}
	if report.SpecReports, err = p.pick(l, report.SpecReports); err != nil {
		return report, err
	}
	return report, errors.Join(write(directory, report), p.write(directory))
}

// pick returns the specs of the part in the order of the list, and after them what has
// failed around the specs.
func (p Part) pick(l List, all types.SpecReports) (types.SpecReports, error) {
	specs := map[string]types.SpecReport{}
	var around types.SpecReports
	for _, spec := range all {
		switch {
		case spec.LeafNodeType == types.NodeTypeIt:
			specs[spec.FullText()] = spec
		case spec.Failed():
			around = append(around, spec)
		}
	}
	var picked types.SpecReports
	for _, text := range l.Texts(p.Places) {
		spec, known := specs[text]
		if !known {
			return nil, fmt.Errorf("the report of shard %d has no spec %q", p.Shard, text)
		}
		picked = append(picked, spec)
	}
	return append(picked, around...), nil
}

// add adds the report of another shard. The specs come with their places in the list.
func add(all *types.Report, r types.Report) {
	if all.SuiteDescription == "" {
		*all = r
		all.SpecReports = nil
		return
	}
	all.SuiteSucceeded = all.SuiteSucceeded && r.SuiteSucceeded
	all.SuiteHasProgrammaticFocus = all.SuiteHasProgrammaticFocus || r.SuiteHasProgrammaticFocus
	for _, reason := range r.SpecialSuiteFailureReasons {
		if !slices.Contains(all.SpecialSuiteFailureReasons, reason) {
			all.SpecialSuiteFailureReasons = append(all.SpecialSuiteFailureReasons, reason)
		}
	}
	all.PreRunStats.SpecsThatWillRun += r.PreRunStats.SpecsThatWillRun
	all.RunTime = max(all.RunTime, r.RunTime)
	if r.StartTime.Before(all.StartTime) {
		all.StartTime = r.StartTime
	}
	if r.EndTime.After(all.EndTime) {
		all.EndTime = r.EndTime
	}
}

package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// reportName is the file of a half's own report, until it is merged.
func (h half) reportName() string { return "ginkgo-" + h.name + ".json" }

// mergeReports makes one report of the halves' own, as if one machine had run all
// specs, and writes it beside them, as JSON and as JUnit's XML. A half that left none
// is missing, and the report then says that the suites have failed.
func mergeReports(directory string) (types.Report, error) {
	var all types.Report
	var missing, parts []string
	for _, h := range halves {
		file := filepath.Join(directory, h.reportName())
		reports, err := read(file)
		if err != nil {
			missing = append(missing, fmt.Sprintf("the specs over %s left no report: %v", h.name, err))
			continue
		}
		parts = append(parts, file)
		ran := types.MustParseLabelFilter(h.filter)
		for _, r := range reports {
			r.SpecReports = slices.DeleteFunc(r.SpecReports, func(spec types.SpecReport) bool {
				return spec.LeafNodeType == types.NodeTypeIt && !ran(spec.Labels())
			})
			add(&all, r)
		}
	}
	if len(parts) == 0 {
		return all, errors.New(strings.Join(missing, "\n"))
	}
	if len(missing) > 0 {
		all.SuiteSucceeded = false
		all.SpecialSuiteFailureReasons = append(all.SpecialSuiteFailureReasons, missing...)
	}
	if err := errors.Join(
		reporters.GenerateJSONReport(all, filepath.Join(directory, reportName)),
		reporters.GenerateJUnitReport(all, filepath.Join(directory, junitName))); err != nil {
		return all, err
	}
	for _, part := range parts {
		if err := os.Remove(part); err != nil {
			return all, err
		}
	}
	return all, nil
}

// add adds what one machine reports to what others have.
func add(all *types.Report, r types.Report) {
	if all.SuiteDescription == "" {
		*all = r
		return
	}
	all.SuiteSucceeded = all.SuiteSucceeded && r.SuiteSucceeded
	all.SpecialSuiteFailureReasons = append(all.SpecialSuiteFailureReasons, r.SpecialSuiteFailureReasons...)
	all.PreRunStats.SpecsThatWillRun += r.PreRunStats.SpecsThatWillRun
	all.SpecReports = append(all.SpecReports, r.SpecReports...)
	all.RunTime = max(all.RunTime, r.RunTime)
	if r.EndTime.After(all.EndTime) {
		all.EndTime = r.EndTime
	}
}

package run

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// written writes the report of one guest: every guest knows all specs, and skips those
// of the other one.
func written(t *testing.T, directory string, h half, succeeded bool) {
	t.Helper()
	r := types.Report{SuiteDescription: "halfopen", SuiteSucceeded: succeeded}
	ran := types.MustParseLabelFilter(h.filter)
	for _, labels := range [][]string{{"IPv4"}, {"IPv6"}, {"IPv4", "second-guest"}} {
		state := types.SpecStateSkipped
		if ran(labels) {
			state = types.SpecStatePassed
		}
		r.SpecReports = append(r.SpecReports, types.SpecReport{
			LeafNodeType: types.NodeTypeIt, LeafNodeText: strings.Join(labels, " "), LeafNodeLabels: labels, State: state})
	}
	if err := reporters.GenerateJSONReport(r, filepath.Join(directory, h.reportName())); err != nil {
		t.Fatal(err)
	}
}

func TestTheReportsOfTwoGuestsBecomeOneInWhichEachSpecRan(t *testing.T) {
	directory := t.TempDir()
	for _, h := range halves {
		written(t, directory, h, true)
	}
	merged, err := mergeReports(directory)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, spec := range merged.SpecReports {
		if spec.State != types.SpecStatePassed {
			t.Errorf("%s is %v", spec.LeafNodeText, spec.State)
		}
		texts = append(texts, spec.LeafNodeText)
	}
	if want := []string{"IPv4", "IPv6", "IPv4 second-guest"}; !slices.Equal(texts, want) {
		t.Errorf("the report has %q, expected %q", texts, want)
	}
	if !merged.SuiteSucceeded {
		t.Error("two guests have succeeded, and together they have not")
	}
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v are left, expected ginkgo.json and junit.xml", entries, err)
	}
}

func TestAGuestThatLeavesNoReportMakesTheRunFail(t *testing.T) {
	directory := t.TempDir()
	written(t, directory, halves[0], true)
	merged, err := mergeReports(directory)
	if err != nil || merged.SuiteSucceeded || len(merged.SpecialSuiteFailureReasons) != 1 {
		t.Errorf("merged: %v, succeeded %v, %q; expected one reason to fail", err, merged.SuiteSucceeded, merged.SpecialSuiteFailureReasons)
	}
	written(t, directory, halves[0], true)
	if err := os.WriteFile(filepath.Join(directory, halves[1].reportName()), []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	if merged, err := mergeReports(directory); err != nil || merged.SuiteSucceeded {
		t.Errorf("merged with an empty report: %v, succeeded %v", err, merged.SuiteSucceeded)
	}
	if _, err := mergeReports(t.TempDir()); err == nil {
		t.Error("no report at all is no error")
	}
}

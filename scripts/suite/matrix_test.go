package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

// measuring is a spec that has measured one row, with one outcome for every detector.
func measuring(outcome string) types.SpecReport {
	outcomes := strings.TrimSuffix(strings.Repeat(`"`+outcome+`",`, len(detection.Detectors)), ",")
	return types.SpecReport{State: types.SpecStatePassed, ReportEntries: types.ReportEntries{{
		Name:  detection.Entry,
		Value: types.ReportEntryValue{AsJSON: `{"Number":3,"Rows":[{"fault":"cable out","load":"idle","side":"client","outcomes":[` + outcomes + `]}]}`},
	}}}
}

func TestARunThatHasNotMeasuredEveryRowFailsAndNamesThem(t *testing.T) {
	s := run.Suites{Report: t.TempDir()}
	var printed strings.Builder
	complete, err := showMatrix(&printed, s, &outcome{green: true, specs: types.SpecReports{measuring("never")}})
	if err != nil || complete {
		t.Errorf("a run with one row is complete: %v, error %v", complete, err)
	}
	if !strings.Contains(printed.String(), "\n  cable out, idle, server\n") || strings.Contains(printed.String(), "\n  cable out, idle, client\n") {
		t.Errorf("printed:\n%s", printed.String())
	}
	for _, name := range []string{"matrix.json", "matrix.md"} {
		if content, err := os.ReadFile(filepath.Join(s.Report, name)); err != nil || !strings.Contains(string(content), "cable out") {
			t.Errorf("%s: %q, error %v", name, content, err)
		}
	}
}

func TestAPartOfTheSpecsShowsThePartThatWasMeasured(t *testing.T) {
	s := run.Suites{Report: t.TempDir(), Focus: "keepalive"}
	var printed strings.Builder
	complete, err := showMatrix(&printed, s, &outcome{green: true})
	if err != nil || !complete || printed.Len() > 0 {
		t.Errorf("without a row: %v, error %v, printed:\n%s", complete, err, printed.String())
	}
}

func TestARecordedMatrixReplacesTheCommittedOneAndTheReadmes(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(filepath.Dir(committedFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(readme, []byte("before\n"+from+"old\n"+to+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := run.Suites{Report: t.TempDir(), Record: true}
	if _, err := showMatrix(&strings.Builder{}, s, &outcome{specs: types.SpecReports{measuring("never")}}); err == nil {
		t.Error("what failed specs have measured is recorded")
	}
	if _, err := showMatrix(&strings.Builder{}, s, &outcome{green: true, specs: types.SpecReports{measuring("never")}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"before\n" + from, "cable out\n idle client  never", "```\n" + to + "after\n"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the README has no %q:\n%s", part, text)
		}
	}
	content, err := os.ReadFile(committedFile)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := detection.Parse(content); err != nil || len(m) != 1 {
		t.Errorf("the committed matrix is %v, error %v", m, err)
	}
}

package suite

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// measuring is a spec that has measured one row, with one outcome for every detector.
func measuring(outcome string) types.SpecReport {
	outcomes := strings.TrimSuffix(strings.Repeat(`"`+outcome+`",`, len(detection.Protocol("").Detectors())), ",")
	return types.SpecReport{State: types.SpecStatePassed, ReportEntries: types.ReportEntries{{
		Name:  detection.Entry,
		Value: types.ReportEntryValue{AsJSON: `{"Number":3,"Rows":[{"fault":"cable out","load":"idle","side":"client","outcomes":[` + outcomes + `]}]}`},
	}}}
}

func TestARunThatHasNotMeasuredEveryRowFailsAndNamesThem(t *testing.T) {
	s := suites.Settings{Report: t.TempDir()}
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
	s := suites.Settings{Report: t.TempDir(), Focus: "cable out"}
	var printed strings.Builder
	complete, err := showMatrix(&printed, s, &outcome{green: true, specs: types.SpecReports{measuring("never")}})
	if err != nil || !complete {
		t.Errorf("a part is what was asked for: complete %v, error %v", complete, err)
	}
	if text := printed.String(); !strings.Contains(text, "cable out\n idle client  never") || strings.Contains(text, "not measured") {
		t.Errorf("printed:\n%s", text)
	}
}

func TestAPartWithoutTheMatrixSaysNothingOfIt(t *testing.T) {
	s := suites.Settings{Report: t.TempDir(), Focus: "keepalive"}
	var printed strings.Builder
	complete, err := showMatrix(&printed, s, &outcome{green: true})
	if err != nil || !complete || printed.Len() > 0 {
		t.Errorf("without a row: %v, error %v, printed:\n%s", complete, err, printed.String())
	}
}

// repository is a directory with a committed matrix of one row, and the pages that show it.
func repository(t *testing.T, fault string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(filepath.Dir(committedFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(committedFile, []byte(`{"schema_version": 1, "rows": [{"fault":"`+fault+`","load":"idle","side":"client","outcomes":["alive"]}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(picture), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{document, readme} {
		if err := os.WriteFile(file, []byte("before\n"+matrixBegins+"old\n"+matrixEnds+"after\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARecordedMatrixReplacesTheCommittedOneAndThePages(t *testing.T) {
	repository(t, "cable out") // with a column only: more may be added
	s := suites.Settings{Report: t.TempDir(), Record: true}
	if _, err := showMatrix(&strings.Builder{}, s, &outcome{green: true, specs: types.SpecReports{measuring("never")}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"before\n" + matrixBegins, "cable out\n idle client  never", "```\n" + matrixEnds + "after\n"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the page has no %q:\n%s", part, text)
		}
	}
	if text, err := os.ReadFile(readme); err != nil || strings.Contains(string(text), "cable out") || strings.Contains(string(text), "\nold\n") {
		t.Errorf("the README, which does not show this fault, has\n%s(%v)", text, err)
	}
	content, err := os.ReadFile(committedFile)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := detection.Parse(content); err != nil || len(m) != 1 {
		t.Errorf("the committed matrix is %v, error %v", m, err)
	}
}

func TestAMatrixIsNotRecordedWhenItLosesRowsOrItsSpecsFailed(t *testing.T) {
	for _, c := range []struct {
		what, fault, expected string
		green                 bool
	}{
		{"a row less", "power cut", "were not measured; delete them from fixtures/detection/matrix.json first if they are to go:\n  power cut, idle, client", true},
		{"failed specs", "cable out", "the specs that measure it have failed", false},
	} {
		repository(t, c.fault)
		before, _ := os.ReadFile(committedFile)
		s := suites.Settings{Report: t.TempDir(), Record: true}
		_, err := showMatrix(&strings.Builder{}, s, &outcome{green: c.green, specs: types.SpecReports{measuring("never")}})
		if err == nil || !strings.Contains(err.Error(), c.expected) {
			t.Errorf("%s: %v, expected %q", c.what, err, c.expected)
		}
		if after, _ := os.ReadFile(committedFile); string(after) != string(before) {
			t.Errorf("%s: the committed matrix is now %s", c.what, after)
		}
	}
}

func TestARunThatCannotMeasureTheWholeMatrixDoesNotRecord(t *testing.T) {
	for argument, expected := range map[string]string{
		"-focus=keepalive": "leave FOCUS out",
		"-on=host":         "not on host",
		"-on=host,virtual": "not on host,virtual",
	} {
		_, err := Command(t.Context(), []string{"-report=" + filepath.Join(t.TempDir(), "report"), "-record", argument})
		if err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("suite -record %s: %v, expected %q", argument, err, expected)
		}
	}
	if err := toRecord(&suites.Settings{LeaveOut: "fault 1"}, "virtual"); err == nil || !strings.Contains(err.Error(), "unset HALFOPEN_LEAVE_OUT") {
		t.Errorf("recording without the first faults: %v", err)
	}
	var s suites.Settings
	if err := toRecord(&s, "virtual"); err != nil || s.Focus != matrixSpecs {
		t.Errorf("a run that records: the focus %q, error %v; expected %q", s.Focus, err, matrixSpecs)
	}
}

var update = flag.Bool("update", false, "write the committed matrix into the pages that show it")

func TestThePagesShowTheCommittedMatrix(t *testing.T) {
	t.Chdir("../..")
	committed, err := detection.Committed()
	if err != nil {
		t.Fatal(err)
	}
	files, err := shown(committed)
	if err != nil {
		t.Fatal(err)
	}
	for file, expected := range files {
		if *update {
			if err := os.WriteFile(file, expected, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := os.ReadFile(file); err != nil || !bytes.Equal(text, expected) {
			t.Errorf("%s shows another matrix than %s: go test ./scripts/suite -update writes it (%v)", file, committedFile, err)
		}
	}
}

package gotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

// event is a line of go tool test2json.
type event struct {
	Action  string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

// test2json is the file of the go command's tool.
var test2json = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "test2json").Output()
	if err != nil {
		return "", fmt.Errorf("looking for go tool test2json: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
})

// failed is the last line of a test binary that has failed, unless it ends in the middle
// of a test. Without it test2json does not say how the last test ended.
const failed = "\x16FAIL\n"

// events converts what a test binary has printed with -test.v=test2json.
func events(output string) (all []event, err error) {
	file, err := test2json()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(file, "-t") // without which it does not say how long a test took
	cmd.Stdin = strings.NewReader(output + failed)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("reading the output of tests: go tool test2json: %w", err)
	}
	for line := range bytes.Lines(out) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("reading the output of tests: %w", err)
		}
		all = append(all, e)
	}
	return all, nil
}

// plainTest is a test or subtest while its events come.
type plainTest struct {
	name   string
	state  types.SpecState
	took   time.Duration
	output strings.Builder
}

// framing begins the lines that package testing prints around the output of tests.
var framing = []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "=== ATTR", "=== ARTIFACTS", "--- PASS", "--- FAIL", "--- SKIP"}

// isFraming reports whether a line is package testing's.
func isFraming(line string) bool {
	for _, begin := range framing {
		if strings.HasPrefix(strings.TrimLeft(line, " "), begin) {
			return true
		}
	}
	return false
}

// plainReport makes a report of what plain tests have printed. Broken says why the suite
// is red beside its tests.
func plainReport(o outcome) (report types.Report, broken string, err error) {
	all, err := events(o.output())
	if err != nil {
		return report, "", err
	}
	tests := map[string]*plainTest{}
	var inOrder []*plainTest
	var around strings.Builder // what was printed before, between and after the tests
	for _, e := range all {
		if e.Test == "" {
			if line := strings.TrimSpace(e.Output); line != "PASS" && line != "FAIL" {
				around.WriteString(e.Output)
			}
			continue
		}
		test := tests[e.Test]
		if test == nil {
			test = &plainTest{name: e.Test}
			tests[e.Test] = test
			inOrder = append(inOrder, test)
		}
		test.add(e)
	}
	report.SuiteSucceeded = o.status == 0
	red := false
	for _, test := range inOrder {
		spec := test.report()
		if spec.Failed() && spec.Failure.Message == "" {
			spec.Failure.Message = "it printed nothing"
			if slices.ContainsFunc(inOrder, func(other *plainTest) bool { return other.isFailedPartOf(test) }) {
				spec.Failure.Message = "a subtest failed"
			}
		}
		spec.LeafNodeLocation = o.locationOf(test.name)
		red = red || spec.Failed()
		report.SpecReports = append(report.SpecReports, spec)
	}
	switch {
	case o.status == 0:
	case len(inOrder) == 0:
		broken = fmt.Sprintf("the test binary ended with status %d before any test%s", o.status, printed(around.String()))
	case !red:
		broken = fmt.Sprintf("the test binary ended with status %d although its tests passed%s", o.status, printed(around.String()))
	case o.unfinished(tests):
		broken = fmt.Sprintf("the test binary ended with status %d before all of its tests had run", o.status)
	}
	return report, broken, nil
}

// unfinished reports whether a test that was to run has not ended.
func (o outcome) unfinished(tests map[string]*plainTest) bool {
	for _, unit := range o.units {
		if test := tests[unit.Name]; test == nil || test.state == types.SpecStateInvalid {
			return true
		}
	}
	return false
}

// locationOf is where the function of a test or subtest is.
func (s suite) locationOf(test string) types.CodeLocation {
	name, _, _ := strings.Cut(test, "/")
	for _, f := range s.functions {
		if f.name == name {
			return f.location
		}
	}
	return types.CodeLocation{}
}

func (t *plainTest) add(e event) {
	switch e.Action {
	case "output":
		if !isFraming(e.Output) {
			t.output.WriteString(e.Output)
		}
	case "pass":
		t.state = types.SpecStatePassed
	case "fail":
		t.state = types.SpecStateFailed
	case "skip":
		t.state = types.SpecStateSkipped
	}
	if e.Elapsed > 0 {
		t.took = time.Duration(e.Elapsed * float64(time.Second)).Round(time.Millisecond)
	}
}

// Of a test that has not passed, what it has printed is in its failure.
func (t *plainTest) report() types.SpecReport {
	spec := types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: t.name, State: t.state, RunTime: t.took, NumAttempts: 1, ParallelProcess: 1}
	message := strings.TrimRight(t.output.String(), "\n")
	switch t.state {
	case types.SpecStatePassed:
		spec.CapturedStdOutErr = t.output.String()
		return spec
	case types.SpecStateInvalid:
		spec.State = types.SpecStateInterrupted
		message = strings.TrimLeft(message+"\nit had not ended when the test binary did", "\n")
	}
	spec.Failure = types.Failure{Message: message, FailureNodeContext: types.FailureNodeIsLeafNode, FailureNodeType: types.NodeTypeIt}
	return spec
}

// isFailedPartOf reports whether a test is a subtest of another, and has failed.
func (t *plainTest) isFailedPartOf(other *plainTest) bool {
	return t.state.Is(types.SpecStateFailed) && strings.HasPrefix(t.name, other.name+"/")
}

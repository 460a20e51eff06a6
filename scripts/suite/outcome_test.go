package suite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

func spec(state types.SpecState, labels ...string) types.SpecReport {
	return types.SpecReport{State: state, LeafNodeText: strings.Join(labels, " "), LeafNodeLabels: labels}
}

func TestEachBehaviourIsShownOrNamed(t *testing.T) {
	o := &outcome{specs: types.SpecReports{
		spec(types.SpecStatePassed, "K1", "IPv4"), spec(types.SpecStateSkipped, "K1", "IPv6"),
		spec(types.SpecStatePassed, "K2"), spec(types.SpecStatePanicked, "K2"),
		spec(types.SpecStateSkipped, "K3"),
	}}
	var rest []string
	for _, row := range catalogue.Rows[3:] {
		rest = append(rest, row.ID)
	}
	line := o.behaviours(false)
	for _, part := range []string{"1 of the ", " Failed: K2. Skipped: K3. Not run: " + strings.Join(rest, " ") + "."} {
		if !strings.Contains(line, part) {
			t.Errorf("the line is %q, expected it to have %q", line, part)
		}
	}
	if part := o.behaviours(true); strings.Contains(part, "Not run") {
		t.Errorf("of a part of the suites it says %q", part)
	}
	if o.complete() {
		t.Error("rows without a spec count as complete")
	}
}

func TestAStepThatNoSpecHasIsNoticed(t *testing.T) {
	with := spec(types.SpecStatePassed, "K1")
	with.ReportEntries = types.ReportEntries{{Name: harness.StepEntry, Value: types.WrapEntryValue("fault 1")}}
	o := &outcome{specs: types.SpecReports{spec(types.SpecStatePassed, "K2"), with}}
	for step, want := range map[string]bool{"": true, "fault 1": true, "fault1": false} {
		if got := o.leftOut(step); got != want {
			t.Errorf("%q left out: %v, expected %v", step, got, want)
		}
	}
}

func TestASpecThatAnExecutorDoesNotKnowHasNotRunThere(t *testing.T) {
	known := spec(types.SpecStatePassed, "K1")
	host := &outcome{executor: "host", specs: types.SpecReports{}}
	virtual := &outcome{executor: "virtual", specs: types.SpecReports{known}}
	var out strings.Builder
	everywhere, err := compare(&out, t.TempDir(), []*outcome{host, virtual})
	if err != nil || !everywhere {
		t.Errorf("comparing: %v, %v; expected every spec to have run somewhere", everywhere, err)
	}
	if !strings.Contains(out.String(), "it is not known there") {
		t.Errorf("it does not say that the host knows no such spec:\n%s", &out)
	}
}

func TestASpecThatAllExecutorsSkipIsNamed(t *testing.T) {
	skipped := spec(types.SpecStateSkipped, "K1")
	var out strings.Builder
	everywhere, err := compare(&out, t.TempDir(), []*outcome{{executor: "host", specs: types.SpecReports{skipped}}, {executor: "virtual", specs: types.SpecReports{skipped}}})
	if err != nil || everywhere {
		t.Errorf("comparing: %v, %v; expected a spec that ran nowhere", everywhere, err)
	}
	if !strings.Contains(out.String(), "These ran nowhere:\n  ") {
		t.Errorf("it does not name it:\n%s", &out)
	}
}

func TestWhyARunIsRedIsPrinted(t *testing.T) {
	o := sumUp(inVirtualTime, &gotest.Report{Suites: []types.Report{{SuiteSucceeded: true, SpecialSuiteFailureReasons: []string{"Suite Timeout Elapsed"}}}})
	var out strings.Builder
	if err := o.print(&out, suites.Settings{}); err != nil || o.green {
		t.Errorf("printing it: %v; green %v", err, o.green)
	}
	if !strings.Contains(out.String(), "  Suite Timeout Elapsed\n") {
		t.Errorf("it does not say why:\n%s", &out)
	}
}

// The command is run by a shell, with a make whose target prints what reaches it.
func TestTheCommandThatRepeatsARunSurvivesTheShellAndMake(t *testing.T) {
	directory := t.TempDir()
	makefile := "export FOCUS\nsuite-host:\n\t@printf '%s|%s|%s|%s|%s|%s' \"$$HALFOPEN_LEAVE_OUT\" \"$$FOCUS\" $(SEED) $(PROCS) $(MEMORY) '$(KERNEL)'\n"
	if err := os.WriteFile(filepath.Join(directory, "Makefile"), []byte(makefile), 0o644); err != nil {
		t.Fatal(err)
	}
	s := suites.Settings{Seed: 7, Procs: 3, Memory: 512, LeaveOut: "fault 1", Machine: machine.Want{Kernel: "linux $HOME"}, Focus: "it's `a` \"b\\.c\" $"}
	cmd := exec.Command("sh", "-c", again("host", s))
	cmd.Dir = directory
	cmd.Env = append(os.Environ(), "MAKELEVEL=0", "MAKEFLAGS=") // these tests may be run by make
	out, err := cmd.CombinedOutput()
	if expected := fmt.Sprintf("%s|%s|7|3|512|%s", s.LeaveOut, s.Focus, s.Machine.Kernel); err != nil || string(out) != expected {
		t.Errorf("%s gives %q, %v\nexpected %q", again("host", s), out, err, expected)
	}
	if command := again("virtual", suites.Settings{Seed: 1}); command != "make suite SEED=1" {
		t.Errorf("a run without settings is repeated by %q", command)
	}
}

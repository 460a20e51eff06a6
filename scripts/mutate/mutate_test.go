package mutate

import (
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness"
)

// mutated is a spec of which a fault was left out.
func mutated(name string, state types.SpecState) types.SpecReport {
	return types.SpecReport{LeafNodeText: name, State: state, ReportEntries: types.ReportEntries{{
		Name: harness.LeftOutEntry, Value: types.WrapEntryValue("fault: the cable is pulled"),
	}}}
}

func TestOnlyASpecThatFailedIsRed(t *testing.T) {
	red, green, err := judge(types.SpecReports{
		mutated("fails", types.SpecStateFailed), mutated("panics", types.SpecStatePanicked), mutated("stays green", types.SpecStatePassed),
		{LeafNodeText: "has no fault", State: types.SpecStatePassed},
	})
	if err != nil || red != 2 || len(green) != 1 || !strings.Contains(green[0], "stays green\n      without fault: the cable is pulled") {
		t.Errorf("judged: %d red, green %q, error %v", red, green, err)
	}
}

func TestASpecThatWasInterruptedIsNotRed(t *testing.T) {
	for _, state := range []types.SpecState{types.SpecStateInterrupted, types.SpecStateAborted, types.SpecStateSkipped} {
		red, _, err := judge(types.SpecReports{mutated("waits", state)})
		if err == nil || red != 0 || !strings.Contains(err.Error(), "waits was "+state.String()) {
			t.Errorf("%v: %d red, error %v", state, red, err)
		}
	}
}

func TestOnlyTheSpecsThatHaveAStepRunWithoutIt(t *testing.T) {
	one := types.SpecReport{LeafNodeText: "one fault", ReportEntries: types.ReportEntries{{Name: harness.StepEntry, Value: types.WrapEntryValue("fault 1")}}}
	two := types.SpecReport{LeafNodeText: "two faults", ReportEntries: append(one.ReportEntries, types.ReportEntry{Name: harness.StepEntry, Value: types.WrapEntryValue("fault 2")})}
	if texts := with("fault 2", types.SpecReports{one, two}); !slices.Equal(texts, []string{"two faults"}) {
		t.Errorf("the specs with a second fault are %q", texts)
	}
}

func TestASpecThatFailsByItselfProvesNothing(t *testing.T) {
	err := mustPass(types.SpecReports{{LeafNodeText: "passes", State: types.SpecStatePassed}, {LeafNodeText: "fails", State: types.SpecStateFailed}})
	if err == nil || !strings.Contains(err.Error(), "fails failed with nothing left out") || strings.Contains(err.Error(), "passes") {
		t.Errorf("the error is %v", err)
	}
}

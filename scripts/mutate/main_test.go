package main

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// mutated is a spec of which a fault was left out.
func mutated(name string, state types.SpecState) types.SpecReport {
	return types.SpecReport{LeafNodeText: name, State: state, ReportEntries: types.ReportEntries{{
		Name: "left out", Value: types.WrapEntryValue("fault: the cable is pulled"),
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

package main

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
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

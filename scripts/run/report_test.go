package run

import (
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// spec is a spec with that text, in the folder suites/keepalive.
func spec(text string, state types.SpecState) types.SpecReport {
	return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: state,
		LeafNodeLocation: types.CodeLocation{FileName: "/src/suites/keepalive/probes.go", LineNumber: 7}}
}

func TestARunThatIsRedBesideItsSpecsSaysWhy(t *testing.T) {
	setUp := types.SpecReport{LeafNodeType: types.NodeTypeBeforeSuite, State: types.SpecStateFailed, Failure: types.Failure{Message: "no route"}}
	for _, c := range []struct {
		what     string
		report   types.Report
		expected []string
	}{
		{"all passed", types.Report{SuiteSucceeded: true, SpecReports: types.SpecReports{spec("a", types.SpecStatePassed)}}, nil},
		{"a failed spec speaks for itself", types.Report{SpecReports: types.SpecReports{spec("a", types.SpecStateFailed)}}, nil},
		{"each process was interrupted", types.Report{SpecialSuiteFailureReasons: []string{"Interrupted by User", "Interrupted by User"}}, []string{"Interrupted by User"}},
		{"pending", types.Report{SpecReports: types.SpecReports{spec("a", types.SpecStatePending)}}, []string{"this spec is pending: keepalive: a"}},
		{"set-up", types.Report{SpecReports: types.SpecReports{setUp}}, []string{"BeforeSuite: no route"}},
		{"focus", types.Report{SuiteSucceeded: true, SuiteHasProgrammaticFocus: true}, []string{"specs are focused in the code (FIt, FDescribe and the like), and the others did not run"}},
		{"unknown", types.Report{SpecReports: types.SpecReports{spec("a", types.SpecStatePassed)}}, []string{"Ginkgo calls the run failed, and does not say why: see what it has printed"}},
	} {
		if reasons := Reasons([]types.Report{c.report}); !slices.Equal(reasons, c.expected) {
			t.Errorf("%s: %q, expected %q", c.what, reasons, c.expected)
		}
	}
}

func TestARunWithoutSpecsIsBlamedOnTheFocusOnlyWhenNothingElseIsWrong(t *testing.T) {
	if err := ran("kepalive", []types.Report{{SuiteSucceeded: true}}); err == nil || err.Error() != `no spec's text matches "kepalive" (FOCUS)` {
		t.Errorf("a focus that matches nothing: %v", err)
	}
	broken := types.Report{SpecialSuiteFailureReasons: []string{"Failed to compile suites"}}
	if err := ran("keepalive", []types.Report{broken}); err == nil || err.Error() != "no spec has run: Failed to compile suites" {
		t.Errorf("suites that do not compile: %v", err)
	}
}

func TestTwoSpecsOfOneNameAreAnError(t *testing.T) {
	a := spec("answers", types.SpecStatePassed)
	if _, err := ByName(types.SpecReports{a, a}); err == nil || !strings.Contains(err.Error(), `two specs are named "keepalive: answers"`) {
		t.Errorf("by name: %v", err)
	}
	if byName, err := ByName(types.SpecReports{a, spec("is silent", types.SpecStatePassed)}); err != nil || len(byName) != 2 {
		t.Errorf("by name: %v, %v", byName, err)
	}
}

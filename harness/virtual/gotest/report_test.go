package gotest

import (
	"slices"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// spec is a spec with that text.
func spec(text string, state types.SpecState) types.SpecReport {
	return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: state}
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
		{"pending", types.Report{SuiteConfig: types.SuiteConfig{FailOnPending: true}, SpecReports: types.SpecReports{spec("a", types.SpecStatePending)}}, []string{"this spec is pending: a"}},
		{"pending, which is allowed", types.Report{SuiteSucceeded: true, SpecReports: types.SpecReports{spec("a", types.SpecStatePending)}}, nil},
		{"set-up", types.Report{SpecReports: types.SpecReports{setUp}}, []string{"BeforeSuite: no route"}},
		{"focus", types.Report{SuiteSucceeded: true, SuiteHasProgrammaticFocus: true}, []string{"specs are focused in the code (FIt, FDescribe and the like), and the others did not run"}},
		{"unknown", types.Report{SpecReports: types.SpecReports{spec("a", types.SpecStatePassed)}}, []string{"Ginkgo calls the run failed, and does not say why: see what it has printed"}},
	} {
		r := Report{Suites: []types.Report{c.report}}
		if reasons := r.Reasons(); !slices.Equal(reasons, c.expected) {
			t.Errorf("%s: %q, expected %q", c.what, reasons, c.expected)
		}
		if passed := c.expected == nil && c.report.SuiteSucceeded; r.Passed() != passed || (r.Conclusive() == nil) != (c.expected == nil) {
			t.Errorf("%s: passed %v, conclusive %v", c.what, r.Passed(), r.Conclusive())
		}
	}
}

package run

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// Specs are the specs of a run that were to run: not the set-up around them, and
// not what the focus left out. Those that were skipped for a reason are there.
func Specs(reports []types.Report) types.SpecReports {
	var specs types.SpecReports
	for _, r := range reports {
		for _, spec := range r.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
			if ran := !spec.State.Is(types.SpecStateSkipped | types.SpecStatePending); ran || spec.FailureMessage() != "" {
				specs = append(specs, spec)
			}
		}
	}
	return specs
}

// Family is the folder that a spec is in.
func Family(spec types.SpecReport) string { return filepath.Base(filepath.Dir(spec.FileName())) }

// Name is what a spec is known by, in every run: its family and its text.
func Name(spec types.SpecReport) string { return Family(spec) + ": " + spec.FullText() }

// ByName are specs by their names, of which no two may be the same.
func ByName(specs types.SpecReports) (map[string]types.SpecReport, error) {
	byName := map[string]types.SpecReport{}
	for _, spec := range specs {
		name := Name(spec)
		if other, twice := byName[name]; twice {
			return nil, fmt.Errorf("two specs are named %q, at %s and %s: give one another text", name, other.LeafNodeLocation, spec.LeafNodeLocation)
		}
		byName[name] = spec
	}
	return byName, nil
}

// Entries are those of a name that the harness has put into a spec's report.
func Entries(spec types.SpecReport, name string) []string {
	var texts []string
	for _, entry := range spec.ReportEntries {
		if entry.Name == name {
			texts = append(texts, entry.StringRepresentation())
		}
	}
	return texts
}

// Reasons says why a run is red, beside its failed specs: it was interrupted, took
// too long, did not compile; its set-up failed; specs are pending, or others focused
// in the code.
func Reasons(reports []types.Report) []string {
	var reasons []string
	add := func(reason string) {
		if !slices.Contains(reasons, reason) { // each test process says it
			reasons = append(reasons, reason)
		}
	}
	for _, r := range reports {
		failed := 0
		for _, reason := range r.SpecialSuiteFailureReasons {
			add(strings.TrimSpace(reason))
		}
		for _, spec := range r.SpecReports {
			switch {
			case spec.State.Is(types.SpecStatePending):
				add("this spec is pending: " + Name(spec))
			case !spec.Failed():
			case spec.LeafNodeType == types.NodeTypeIt:
				failed++
			default:
				add(fmt.Sprintf("%s: %s", spec.LeafNodeType, spec.FailureMessage()))
			}
		}
		if r.SuiteHasProgrammaticFocus {
			add("specs are focused in the code (FIt, FDescribe and the like), and the others did not run")
		}
		if !r.SuiteSucceeded && failed == 0 && len(reasons) == 0 {
			add("Ginkgo calls the run failed, and does not say why: see what it has printed")
		}
	}
	return reasons
}

// ran is an error when no spec has run.
func ran(focus string, reports []types.Report) error {
	if len(Specs(reports)) > 0 {
		return nil
	}
	if reasons := Reasons(reports); len(reasons) > 0 {
		return fmt.Errorf("no spec has run: %s", strings.Join(reasons, "\n"))
	}
	return fmt.Errorf("no spec's text matches %q (FOCUS)", focus)
}

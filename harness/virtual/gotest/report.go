package gotest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// Report is what a run has shown.
type Report struct {
	// Suites are the reports of the plain tests and of the Ginkgo specs of each package, in
	// the order of the packages' names. The field SuitePath is the package's import path.
	Suites []types.Report
	Took   Took

	untested  []string // the go command's lines about packages without tests
	virtual   bool
	directory string // where the report is, with the evidence of failed tests
}

// Specs returns the reports of the tests and specs that were to run: not those of the
// set-up around them, and not what a focus left out. Those that were skipped for a reason
// are there.
func (r *Report) Specs() (specs types.SpecReports) {
	for _, s := range r.Suites {
		specs = append(specs, specsOf(s)...)
	}
	return specs
}

func specsOf(suite types.Report) (specs types.SpecReports) {
	for _, spec := range suite.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		if ran := !spec.State.Is(types.SpecStateSkipped | types.SpecStatePending); ran || spec.FailureMessage() != "" {
			specs = append(specs, spec)
		}
	}
	return specs
}

// Passed reports whether nothing failed and all that was to run has run.
func (r *Report) Passed() bool {
	return len(r.Reasons()) == 0 && !slices.ContainsFunc(r.Suites, func(s types.Report) bool { return !s.SuiteSucceeded })
}

// Conclusive returns an error that says why nothing can be concluded from the tests, as
// far as a run's failed tests do not: it was interrupted, took too long, its set-up failed.
func (r *Report) Conclusive() error {
	if reasons := r.Reasons(); len(reasons) > 0 {
		return errors.New(strings.Join(reasons, "\n"))
	}
	return nil
}

// Reasons returns why the run is red, beside its failed tests: it was interrupted or took
// too long; its set-up failed; specs are pending, or others focused in the code.
func (r *Report) Reasons() (reasons []string) {
	for _, s := range r.Suites {
		for _, reason := range reasonsOf(s) {
			if !slices.Contains(reasons, reason) { // each suite says it
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

func reasonsOf(s types.Report) (reasons []string) {
	add := func(reason string) {
		if !slices.Contains(reasons, reason) { // each test process says it
			reasons = append(reasons, reason)
		}
	}
	failed := 0
	for _, reason := range s.SpecialSuiteFailureReasons {
		add(strings.TrimSpace(reason))
	}
	for _, spec := range s.SpecReports {
		switch {
		case spec.State.Is(types.SpecStatePending):
			if s.SuiteConfig.FailOnPending {
				add("this spec is pending: " + spec.FullText())
			}
		case !spec.Failed():
		case spec.LeafNodeType == types.NodeTypeIt:
			failed++
		case !slices.Contains(s.SpecialSuiteFailureReasons, spec.FailureMessage()): // which has said it
			add(fmt.Sprintf("%s: %s", spec.LeafNodeType, spec.FailureMessage()))
		}
	}
	if s.SuiteHasProgrammaticFocus {
		add("specs are focused in the code (FIt, FDescribe and the like), and the others did not run")
	}
	if !s.SuiteSucceeded && failed == 0 && len(reasons) == 0 {
		add("Ginkgo calls the run failed, and does not say why: see what it has printed")
	}
	return reasons
}

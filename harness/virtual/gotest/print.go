package gotest

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// Print prints the report as go test does: what failed in full, with verbose also the
// rest, and a line for each package.
func (r *Report) Print(to io.Writer, verbose, colour bool) error {
	var out strings.Builder
	for _, line := range r.untested {
		fmt.Fprintln(&out, line)
	}
	passed := true
	for i := 0; i < len(r.Suites); {
		n := 1 // the suites of this package
		for i+n < len(r.Suites) && r.Suites[i+n].SuitePath == r.Suites[i].SuitePath {
			n++
		}
		passed = r.printPackage(&out, r.Suites[i:i+n], verbose, colour) && passed
		i += n
	}
	if !passed {
		fmt.Fprintln(&out, "FAIL")
	}
	return r.write(to, out.String())
}

// PrintFailures prints in full what failed, and nothing else.
func (r *Report) PrintFailures(to io.Writer, colour bool) error {
	var out strings.Builder
	for _, s := range r.Suites {
		printSuite(&out, s, false, colour)
	}
	return r.write(to, out.String())
}

// write writes what tests have printed. They name the files of their evidence as these were
// called in the guest.
func (r *Report) write(to io.Writer, text string) error {
	if r.virtual {
		text = strings.ReplaceAll(text, handedOut+"/", r.directory+"/")
	}
	_, err := io.WriteString(to, text)
	return err
}

// printPackage prints the suites of a package, and its line.
func (r *Report) printPackage(out io.Writer, suites []types.Report, verbose, colour bool) (passed bool) {
	passed = true
	seconds := 0.0
	for _, s := range suites {
		seconds += s.RunTime.Seconds()
		printSuite(out, s, verbose, colour)
		reasons := reasonsOf(s)
		for _, reason := range reasons {
			fmt.Fprintln(out, reason)
		}
		passed = passed && s.SuiteSucceeded && len(reasons) == 0
	}
	verdict, clock := "ok  ", ""
	if !passed {
		verdict = "FAIL"
	}
	if r.virtual {
		clock = " (virtual)"
	}
	fmt.Fprintf(out, "%s\t%s\t%.3fs%s\n", verdict, suites[0].SuitePath, seconds, clock)
	return passed
}

// printSuite prints the tests of a suite that have failed, or all.
func printSuite(out io.Writer, s types.Report, verbose, colour bool) {
	ginkgo := reporters.NewDefaultReporter(types.ReporterConfig{NoColor: !colour, Verbose: verbose}, out)
	for _, spec := range s.SpecReports {
		switch {
		case !spec.Failed() && !verbose:
		case spec.LeafNodeType != types.NodeTypeIt && slices.Contains(s.SpecialSuiteFailureReasons, spec.FailureMessage()):
			// It is printed as the reason.
		case isPlain(s):
			printPlain(out, spec)
		default:
			if verbose {
				ginkgo.WillRun(spec) // prints the text
			}
			ginkgo.DidRun(spec)
		}
	}
}

// printPlain prints a plain test.
func printPlain(out io.Writer, spec types.SpecReport) {
	indent := strings.Repeat("    ", strings.Count(spec.LeafNodeText, "/"))
	fmt.Fprintf(out, "%s--- %s: %s (%.2fs)\n", indent, goVerdict(spec), spec.LeafNodeText, spec.RunTime.Seconds())
	text := spec.CapturedStdOutErr + spec.Failure.Message
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" {
			fmt.Fprintf(out, "%s%s\n", indent, line)
		}
	}
}

// isPlain reports whether a report is of plain tests.
func isPlain(s types.Report) bool { return s.SuiteDescription == s.SuitePath }

// goVerdict is how go test calls a state.
func goVerdict(spec types.SpecReport) string {
	switch {
	case spec.State.Is(types.SpecStatePassed):
		return "PASS"
	case spec.State.Is(types.SpecStateSkipped):
		return "SKIP"
	}
	return "FAIL"
}

package tests

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// The invariants of every test. An assertion is named by its place in the source.
const (
	ends      = "the test ends"     // within the limit
	keepsUp   = "nothing panics"    // neither the test nor what it tests
	livesOn   = "the process lives" // until the test has ended
	assertion = "assertion"         // of a test or a Ginkgo spec
)

// outcome judges a run by what the test and its first lab have left; nil: it has opened none.
func outcome(run gotest.Ran, left *harness.Explored) (o explore.Outcome) {
	switch {
	case left == nil && len(run.Report.SpecReports) == 1 && run.Report.SpecReports[0].State.Is(types.SpecStateSkipped):
		return explore.Outcome{Trouble: "the test was skipped: " + inOneLine(run.Report.SpecReports[0].FailureMessage())}
	case left == nil:
		return explore.Outcome{Trouble: "the test opens no lab, and an exploration strikes the first lab that it opens (harness.New, harness.Open)"}
	case left.Trouble != "":
		return explore.Outcome{Trouble: left.Trouble}
	}
	for _, spec := range run.Report.SpecReports {
		if v, violated := violation(spec); violated {
			o.Violations = append(o.Violations, v)
		}
	}
	if left.Hung {
		o.Violations = []explore.Violation{{Invariant: ends, Says: "it had not ended at its limit" + waits(run)}}
	}
	if len(o.Violations) == 0 && run.Broken != "" {
		o.Violations = append(o.Violations, explore.Violation{Invariant: livesOn, Says: inOneLine(run.Broken)})
	}
	return o
}

// violation returns what a failed test or spec says. A test of which only a subtest has failed
// says nothing.
func violation(spec types.SpecReport) (v explore.Violation, violated bool) {
	message := spec.FailureMessage()
	switch {
	case !spec.Failed() || message == "a subtest failed":
		return v, false
	case spec.State.Is(types.SpecStatePanicked):
		return explore.Violation{Invariant: keepsUp, Says: inOneLine(message + ": " + spec.Failure.ForwardedPanic)}, true
	case spec.State.Is(types.SpecStateTimedout):
		return explore.Violation{Invariant: ends, Says: inOneLine(message)}, true
	}
	if line := panicked.FindString(message); strings.HasPrefix(line, "panic: test timed out") {
		return explore.Violation{Invariant: ends, Says: inOneLine(line)}, true
	} else if line != "" {
		return explore.Violation{Invariant: keepsUp, Says: inOneLine(line)}, true
	}
	place, says := lastSaid(message)
	if says == "" { // a Ginkgo spec's message has no places
		says = message
		if at := spec.Failure.Location; at.FileName != "" {
			place = fmt.Sprintf("%s:%d", path.Base(at.FileName), at.LineNumber)
		}
	}
	return explore.Violation{Invariant: strings.TrimSpace(assertion + " " + place), Says: inOneLine(says)}, true
}

var (
	// panicked matches the line of Go's runtime about a panic.
	panicked = regexp.MustCompile(`(?m)^(?:panic|fatal error): .*$`)
	// said matches the beginning of what t.Error, t.Fatal and t.Log print.
	said = regexp.MustCompile(`^\s*([\w.-]+\.go:\d+): (.*)$`)
	// inTest matches a line of a goroutine's stack that is in a test's source.
	inTest = regexp.MustCompile(`(?m)^\s*\S*?([^/\s]+_test\.go:\d+)(?: |$)`)
)

// lastSaid returns the last thing that a plain test has printed, and where, but for the evidence
// of its labs.
func lastSaid(output string) (place, says string) {
	var now []string
	at := ""
	end := func() {
		if text := strings.Join(now, "\n"); at != "" && !strings.Contains(text, "The evidence is in:") {
			place, says = at, text
		}
	}
	for line := range strings.Lines(output) {
		if match := said.FindStringSubmatch(strings.TrimRight(line, "\n")); match != nil {
			end()
			at, now = match[1], []string{match[2]}
			continue
		}
		now = append(now, line)
	}
	end()
	return place, says
}

// waits says where a test waited that was ended.
func waits(run gotest.Ran) string {
	for _, spec := range run.Report.SpecReports {
		if match := inTest.FindStringSubmatch(spec.FailureMessage()); match != nil {
			return ": it waited at " + match[1]
		}
	}
	return ""
}

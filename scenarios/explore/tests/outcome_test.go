package tests

import (
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// ran is a run of a test that has failed with a message.
func ran(state types.SpecState, message string) gotest.Ran {
	spec := types.SpecReport{State: state, LeafNodeType: types.NodeTypeIt, Failure: types.Failure{Message: message}}
	return gotest.Ran{SuiteReport: shard.SuiteReport{Report: types.Report{SpecReports: types.SpecReports{spec}}}}
}

func TestWhatAFailedTestSaysIsAViolation(t *testing.T) {
	for _, c := range []struct{ name, message, invariant, says string }{
		{
			"an error, then the lab's evidence", `    orders_test.go:44: tea was ordered 2 times
    orders_test.go:30: client — firewall — server over IPv4
        The last events of the timeline:
            0.000100 s  client    packet    out to-firewall: SYN
        The evidence is in:
          /halfopen-report/starts/0/failed/TestHasty/packets.pcapng`, "assertion orders_test.go:44", "tea was ordered 2 times",
		},
		{
			"what was logged before it", "    a_test.go:3: the first attempt\n    a_test.go:9: \n        Expected\n            <int>: 2\n        to equal\n            <int>: 1",
			"assertion a_test.go:9", "Expected <int>: 2 to equal <int>: 1",
		},
		{"no place", "it printed nothing", "assertion", "it printed nothing"},
		{"a panic", "panic: runtime error: index out of range [1] [recovered]\n\tpanic: again\n\ngoroutine 7 [running]:", "nothing panics", "panic: runtime error: index out of range [1] [recovered]"},
		{"the flag -timeout", "panic: test timed out after 10m0s\n\trunning tests:", "the test ends", "panic: test timed out after 10m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := outcome(ran(types.SpecStateFailed, c.message), &harness.Explored{Labs: 1})
			if len(o.Violations) != 1 || o.Violations[0].Invariant != c.invariant || o.Violations[0].Says != c.says {
				t.Errorf("%q, expected %q: %q", o, c.invariant, c.says)
			}
		})
	}
}

func TestATestThatHasNotEndedIsAViolation(t *testing.T) {
	o := outcome(ran(types.SpecStateFailed, "panic: the test has not ended\n\ngoroutine 9 [IO wait]:\nmain.f()\n\t/src/x.go:1 +0x2\n\t/src/x_test.go:12 +0x45\n"), &harness.Explored{Labs: 1, Hung: true})
	if len(o.Violations) != 1 || o.Violations[0].Invariant != ends || o.Violations[0].Says != "it had not ended at its limit: it waited at x_test.go:12" {
		t.Errorf("%q", o)
	}
}

func TestARunThatShowsNothingSaysWhy(t *testing.T) {
	passed := ran(types.SpecStatePassed, "")
	passed.Report.SpecReports[0].Failure = types.Failure{}
	for _, c := range []struct {
		name string
		run  gotest.Ran
		left *harness.Explored
		want string
	}{
		{"no lab", passed, nil, "the test opens no lab, and an exploration strikes the first lab that it opens (harness.New, harness.Open)"},
		{"skipped", ran(types.SpecStateSkipped, "not today"), nil, "the test was skipped: not today"},
		{"a fault that could not strike", passed, &harness.Explored{Labs: 1, Trouble: "no firewall"}, "no firewall"},
		{"none", passed, &harness.Explored{Labs: 1}, ""},
	} {
		if o := outcome(c.run, c.left); o.Trouble != c.want || len(o.Violations) > 0 {
			t.Errorf("%s: %q, expected %q", c.name, o, c.want)
		}
	}
}

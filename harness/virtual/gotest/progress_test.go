package gotest

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

func TestWhereNobodyWatchesEachShardGetsALine(t *testing.T) {
	var out strings.Builder
	p := newProgress(Settings{Output: &out}, 3)
	for range 3 {
		p.testEnded()
	}
	suites := []shard.SuiteReport{{Report: types.Report{SpecReports: types.SpecReports{
		spec("answers", types.SpecStatePassed), spec("is silent", types.SpecStateFailed), spec("resets", types.SpecStatePassed)}}}}
	p.shardEnded(Figures{Shard: 3, Tests: 3, Wall: 1.25}, suites)
	p.clear()
	if want := "shard 3/8: 2 passed, 1 failed, 0 skipped, in 1.2 s\n"; out.String() != want {
		t.Errorf("printed %q, expected %q", out.String(), want)
	}
}

func TestOnATerminalALineChanges(t *testing.T) {
	var out strings.Builder
	p := newProgress(Settings{Output: &out, Terminal: true}, 3)
	p.testEnded()
	p.testEnded() // at once: not worth a line of its own
	p.clear()
	if want := "\r\x1b[K1 of 3, 0 failed\r\x1b[K"; out.String() != want {
		t.Errorf("written: %q, expected %q", out.String(), want)
	}
}

func TestARunThatNobodyListensToIsQuiet(t *testing.T) {
	ended := 0
	p := newProgress(Settings{Terminal: true, Ended: func() { ended++ }}, 1)
	p.testEnded()
	p.shardEnded(Figures{}, nil)
	p.clear()
	if ended != 1 {
		t.Errorf("told of %d tests, expected one", ended)
	}
}

func TestTheTestsThatEndAreCountedInWhatAGuestPrints(t *testing.T) {
	for printed, expected := range map[string]int{
		"••S•\n": 3,
		"\x16=== RUN   TestA\n    a_test.go:1: hi\n\x16--- PASS: TestA (0.00s)\n":                                1,
		"\x16--- FAIL: TestA/sub (0.00s)\n\x16--- FAIL: TestA (0.00s)\nno line end\x16--- SKIP: TestB (0.00s)\n": 2,
		"--- PASS: said by a test (0.00s)\n":                                                                     0,
		strings.Repeat("x", 3*longestLine) + "\n•":                                                               1,
	} {
		n := 0
		c := &counter{each: func() { n++ }}
		for _, b := range []byte(printed) { // it comes in any pieces
			_, _ = c.Write([]byte{b})
		}
		if n != expected {
			t.Errorf("of %.80q %d tests have ended, expected %d", printed, n, expected)
		}
	}
}

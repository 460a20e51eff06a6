package run

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

func TestWhereNobodyWatchesEachShardGetsALine(t *testing.T) {
	var out strings.Builder
	p := &progress{to: &out, specs: 3}
	for range 3 {
		p.specEnded(shard.Record{Text: "answers"})
	}
	bad := spec("is silent", types.SpecStateFailed)
	bad.Failure = types.Failure{Message: "not in time", FailureNodeContext: types.FailureNodeIsLeafNode, FailureNodeType: types.NodeTypeIt}
	p.shardEnded(Figures{Shard: 3, Specs: 3, Wall: 1.25}, types.Report{SpecReports: types.SpecReports{spec("answers", types.SpecStatePassed), bad, spec("resets", types.SpecStatePassed)}})
	p.clear()
	first, rest, _ := strings.Cut(out.String(), "\n")
	if first != "shard 3/8: 2 passed, 1 failed, 0 skipped, in 1.2 s" {
		t.Errorf("the line is %q", first)
	}
	if !strings.Contains(rest, "is silent") || !strings.Contains(rest, "not in time") || strings.Contains(rest, "resets") {
		t.Errorf("it tells of the failures:\n%s", rest)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("it is written for a terminal: %q", out.String())
	}
}

func TestOnATerminalALineChanges(t *testing.T) {
	var out strings.Builder
	p := &progress{to: &out, terminal: true, specs: 3}
	p.specEnded(shard.Record{Text: "answers"})
	p.specEnded(shard.Record{Text: "resets"}) // at once: not worth a line of its own
	p.clear()
	if want := "\r\x1b[K1 of 3 specs, 0 failed\r\x1b[K"; out.String() != want {
		t.Errorf("written: %q, expected %q", out.String(), want)
	}
}

func TestARunThatNobodyListensToIsQuiet(t *testing.T) {
	ended := 0
	p := &progress{specs: 1, terminal: true, ended: func() { ended++ }}
	p.specEnded(shard.Record{})
	p.shardEnded(Figures{}, types.Report{})
	p.clear()
	if ended != 1 {
		t.Errorf("told of %d specs, expected one", ended)
	}
}

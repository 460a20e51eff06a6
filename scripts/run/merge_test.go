package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// part writes the report of a shard of two specs of which each shard has run one.
func part(t *testing.T, directory string, n int) {
	t.Helper()
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	list := shard.List{{Text: "answers"}, {Text: "is silent"}}
	r := types.Report{SuiteDescription: "halfopen", SuiteSucceeded: true, SpecReports: types.SpecReports{
		spec(list[n-1].Text, types.SpecStatePassed), spec(list[2-n].Text, types.SpecStateSkipped)}}
	if err := reporters.GenerateJSONReport(r, filepath.Join(directory, shard.JSONFile)); err != nil {
		t.Fatal(err)
	}
	p := shard.Part{Shard: n, Places: []int{n - 1}, Run: shard.Run{Seed: 7, Focus: "answers|silent", LeaveOut: "fault 1", Kernel: "Linux 6.12"}}
	if _, err := p.Write(directory, list); err != nil {
		t.Fatal(err)
	}
	if err := total("Linux 6.12", 3, []Figures{{Shard: n, Specs: 1, Wall: 3, Processor: float64(n), Virtual: 60}}).write(directory); err != nil {
		t.Fatal(err)
	}
}

func TestMergedShardsAreARun(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "2")
	part(t, first, 1)
	part(t, second, 2)
	s := Suites{Report: filepath.Join(t.TempDir(), "report")}
	reports, result, err := s.Merge([]string{second, first})
	if err != nil {
		t.Fatal(err)
	}
	if specs := Specs(reports); len(specs) != 2 || specs.CountWithState(types.SpecStatePassed) != 2 {
		t.Errorf("the specs are %v", specs)
	}
	if s.Seed != 7 || s.Focus != "answers|silent" || s.LeaveOut != "fault 1" {
		t.Errorf("the run's settings are %+v", s)
	}
	if result.Wall != 3 || result.Processor != 3 || result.Virtual != 120 || len(result.Shards) != 2 || result.Balance != 2/1.5 {
		t.Errorf("it took %+v", result)
	}
	for _, name := range []string{shard.JSONFile, shard.JUnitFile, shard.WallFile} {
		if _, err := os.Stat(filepath.Join(s.Report, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheJoinedReportReplacesNoPart(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(report, link); err != nil {
		t.Fatal(err)
	}
	part(t, filepath.Join(report, "1"), 1)
	part(t, filepath.Join(report, "..2"), 2)
	for _, into := range []string{report, link, filepath.Join(report, "1")} {
		s := Suites{Report: into}
		_, _, err := s.Merge([]string{filepath.Join(report, "1"), filepath.Join(report, "..2")})
		if err == nil || !strings.Contains(err.Error(), "is where the joined one goes") {
			t.Errorf("joining into %s: %v", into, err)
		}
	}
	if _, err := os.Stat(filepath.Join(report, "1", shard.PartFile)); err != nil {
		t.Error(err)
	}
}

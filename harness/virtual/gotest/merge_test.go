package gotest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// part writes the report of a shard of two specs of which each shard has run one.
func part(t *testing.T, directory string, n int) {
	t.Helper()
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	suite := shard.Suite{Package: "example.com/specs", Ginkgo: "TestSpecs"}
	list := shard.List{{Suite: suite, Name: "answers", Location: ":0"}, {Suite: suite, Name: "is silent", Location: ":0"}}
	r := types.Report{SuiteDescription: "Specs", SuitePath: suite.Package, SuiteSucceeded: true, SpecReports: types.SpecReports{
		spec(list[n-1].Name, types.SpecStatePassed), spec(list[2-n].Name, types.SpecStateSkipped)}}
	p := shard.Part{Shard: n, Places: []int{n - 1}, Run: shard.Run{Seed: 7, Focus: "answers|silent", Environment: []string{"A=b"}, Kernel: "Linux 6.12"}}
	if _, err := p.Write(directory, list, []shard.SuiteReport{{Suite: suite, Report: r}}); err != nil {
		t.Fatal(err)
	}
	if err := total("Linux 6.12", 3, []Figures{{Shard: n, Tests: 1, Wall: 3, Processor: float64(n), Virtual: 60}}).write(directory); err != nil {
		t.Fatal(err)
	}
}

func TestMergedShardsAreARun(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "2")
	part(t, first, 1)
	part(t, second, 2)
	into := filepath.Join(t.TempDir(), "report")
	report, run, err := Merge(into, []string{second, first})
	if err != nil {
		t.Fatal(err)
	}
	if specs := report.Specs(); len(specs) != 2 || specs.CountWithState(types.SpecStatePassed) != 2 || !report.Passed() {
		t.Errorf("the specs are %v, passed %v", specs, report.Passed())
	}
	if run.Seed != 7 || run.Focus != "answers|silent" || !slices.Equal(run.Environment, []string{"A=b"}) {
		t.Errorf("the run's settings are %+v", run)
	}
	if took := report.Took; took.Wall != 3 || took.Processor != 3 || took.Virtual != 120 || len(took.Shards) != 2 || took.Balance != 2/1.5 {
		t.Errorf("it took %+v", took)
	}
	for _, name := range []string{shard.JSONFile, shard.JUnitFile, shard.WallFile} {
		if _, err := os.Stat(filepath.Join(into, name)); err != nil {
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
		_, _, err := Merge(into, []string{filepath.Join(report, "1"), filepath.Join(report, "..2")})
		if err == nil || !strings.Contains(err.Error(), "is where the joined one goes") {
			t.Errorf("joining into %s: %v", into, err)
		}
	}
	if _, err := os.Stat(filepath.Join(report, "1", shard.PartFile)); err != nil {
		t.Error(err)
	}
}

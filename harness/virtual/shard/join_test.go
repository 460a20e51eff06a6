package shard

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/report"
)

// reported is what the guest of a shard reports of a Ginkgo suite: it knows all specs, in
// an order of its own, and has run those of its shard. What failed has left evidence.
func reported(t *testing.T, directory string, l List, places []int, failed ...int) []SuiteReport {
	t.Helper()
	began := time.Date(2026, 1, 1, 0, 0, 2, len(places), time.UTC)
	r := types.Report{
		SuiteDescription: "Specs", SuitePath: suite.Package, SuiteSucceeded: len(failed) == 0,
		SuiteConfig: types.SuiteConfig{RandomSeed: 1},
		PreRunStats: types.PreRunStats{TotalSpecs: len(l), SpecsThatWillRun: len(places)},
		StartTime:   began, EndTime: began.Add(time.Hour), RunTime: time.Hour,
	}
	for _, place := range rand.New(rand.NewPCG(1, uint64(len(places)))).Perm(len(l)) {
		spec := types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: l[place].Name, State: types.SpecStateSkipped, StartTime: began}
		if slices.Contains(places, place) {
			spec.State = types.SpecStatePassed
		}
		if slices.Contains(failed, place) {
			spec.State = types.SpecStateFailed
			spec.Failure = types.Failure{Message: "not in time"}
			evidence := filepath.Join(directory, suite.Package, report.Failed, strings.ReplaceAll(l[place].Name, " ", "-"))
			if err := os.MkdirAll(evidence, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(evidence, "timeline.txt"), []byte(l[place].Name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.SpecReports = append(r.SpecReports, spec)
	}
	r.SpecReports = append(r.SpecReports, types.SpecReport{LeafNodeType: types.NodeTypeReportAfterSuite, State: types.SpecStatePassed})
	return []SuiteReport{{Suite: suite, Report: r}}
}

// parts writes the parts of a run of so many specs, in directories named by the shards.
func parts(t *testing.T, n int, change func(*Part)) []string {
	t.Helper()
	root := t.TempDir()
	l := specs(n)
	var directories []string
	for i, places := range l.Assign() {
		directory := filepath.Join(root, fmt.Sprint(i+1))
		if err := os.Mkdir(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		var suites []SuiteReport
		if len(places) > 0 {
			suites = reported(t, directory, l, places, places[0])
		}
		part := Part{Shard: i + 1, Places: places, Run: Run{Seed: 1, Kernel: "Linux 6.12", Memory: Memory, Programs: "p"}}
		if change != nil {
			change(&part)
		}
		if _, err := part.Write(directory, l, suites); err != nil {
			t.Fatal(err)
		}
		directories = append(directories, directory)
	}
	return directories
}

// join joins parts and returns the report of the only suite, and the files by name.
func join(t *testing.T, directories []string) (types.Report, map[string]string) {
	t.Helper()
	reports, err := Open(directories...)
	if err == nil {
		err = Complete(reports)
	}
	if err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	all, err := Join(into, reports)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d suites, %v", len(all), err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(into, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			content, err := os.ReadFile(path)
			files[path[len(into):]] = string(content)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all[0], files
}

func TestAllShardsTogetherReportEachSpecOnceInTheOrderOfTheList(t *testing.T) {
	all, files := join(t, parts(t, 100, nil))
	var texts, expected []string
	for _, spec := range all.SpecReports {
		if spec.State.Is(types.SpecStateSkipped) {
			t.Errorf("%s was skipped", spec.LeafNodeText)
		}
		texts = append(texts, spec.LeafNodeText)
	}
	for _, spec := range specs(100) {
		expected = append(expected, spec.Name)
	}
	if !slices.Equal(texts, expected) {
		t.Errorf("the report has %q", texts)
	}
	if all.SuiteSucceeded || all.PreRunStats.SpecsThatWillRun != 100 || all.RunTime != time.Hour {
		t.Errorf("succeeded: %v, %d specs, %v", all.SuiteSucceeded, all.PreRunStats.SpecsThatWillRun, all.RunTime)
	}
	if len(files) != 2+Count { // the first spec of each shard has failed
		t.Errorf("the report is %q", slices.Sorted(maps.Keys(files)))
	}
}

func TestTheOrderOfThePartsChangesNoByte(t *testing.T) {
	directories := parts(t, 100, nil)
	_, first := join(t, directories)
	for range 5 {
		rand.Shuffle(len(directories), func(i, j int) { directories[i], directories[j] = directories[j], directories[i] })
		if _, again := join(t, directories); !maps.Equal(again, first) {
			t.Fatalf("the parts in the order %q give other bytes", directories)
		}
	}
}

func TestWithFewSpecsTheEmptyShardsNeedNotBeThere(t *testing.T) {
	directories := parts(t, 20, nil)
	_, all := join(t, directories)
	if _, two := join(t, directories[:2]); !maps.Equal(all, two) {
		t.Error("the reports of the shards without specs change the bytes")
	}
}

func TestPartsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	whole := parts(t, 100, nil)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(whole[2])); err != nil {
		t.Fatal(err)
	}
	other := func(change func(*Part)) []string {
		return append(slices.Clone(whole[:7]), parts(t, 100, change)[7])
	}
	for _, c := range []struct {
		what, expected string
		directories    []string
	}{
		{"one is missing", fmt.Sprintf("%d of 100 tests are missing: there is no report of shard 3/8", len(specs(100).Assign()[2])), slices.Delete(slices.Clone(whole), 2, 3)},
		{"one is there twice", "are both shard 3", append(slices.Clone(whole), copied)},
		{"one is no report of a shard", "has no part.json", append(slices.Clone(whole), t.TempDir())},
		{"one has another seed", "differ in their seed: 1 and 2", other(func(p *Part) { p.Run.Seed = 2 })},
		{"one has another focus", `differ in their focus: "" and "keepalive"`, other(func(p *Part) { p.Run.Focus = "keepalive" })},
		{"one has other flags", `differ in their flags: [] and ["-short"]`, other(func(p *Part) { p.Run.Flags = []string{"-short"} })},
		{"one has another environment", `differ in their environment: [] and ["A=b"]`, other(func(p *Part) { p.Run.Environment = []string{"A=b"} })},
		{"one ran on another kernel", `differ in their kernel: "Linux 6.12" and "Linux 6.1"`, other(func(p *Part) { p.Run.Kernel = "Linux 6.1" })},
		{"one had other programs", "differ in their programs", other(func(p *Part) { p.Run.Programs = "q" })},
		{"one is of another list", "differ in their list of tests", append(slices.Clone(whole[:7]), parts(t, 101, nil)[7])},
		{"there is none", "there is no report of a shard to join", nil},
	} {
		reports, err := Open(c.directories...)
		if err == nil {
			err = Complete(reports)
		}
		if err == nil || !strings.Contains(err.Error(), c.expected) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v\nexpected one line with %q", c.what, err, c.expected)
		}
	}
}

func TestAPartOfAnotherVersionIsRefused(t *testing.T) {
	directory := parts(t, 100, nil)[0]
	if err := os.WriteFile(filepath.Join(directory, PartFile), []byte(`{"Version": 0, "Shard": 1, "Of": 8}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(directory); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("opening it: %v", err)
	}
}

func TestAShardThatLeavesNoReportMakesTheRunFail(t *testing.T) {
	directories := parts(t, 100, nil)
	reports, err := Open(directories[:7]...)
	if err != nil {
		t.Fatal(err)
	}
	suites, err := Join(t.TempDir(), reports, "shard 8/8 left no report")
	if err != nil {
		t.Fatal(err)
	}
	if all := suites[0]; all.SuiteSucceeded || !slices.Equal(all.SpecialSuiteFailureReasons, []string{"shard 8/8 left no report"}) || len(all.SpecReports) != 100-len(specs(100).Assign()[7]) {
		t.Errorf("succeeded %v, reasons %q, %d specs", all.SuiteSucceeded, all.SpecialSuiteFailureReasons, len(all.SpecReports))
	}
}

// shown is what the part of a suite's report shows: each test, its state, and its place.
func shown(t *testing.T, l List, places []int, report SuiteReport) (lines []string, reasons []string) {
	t.Helper()
	directory := t.TempDir()
	reports, err := Part{Shard: 1, Places: places}.Write(directory, l, []SuiteReport{report})
	if err != nil {
		t.Fatal(err)
	}
	part, err := ReadPart(directory)
	if err != nil {
		t.Fatal(err)
	}
	for i, spec := range reports[0].SpecReports {
		lines = append(lines, fmt.Sprintf("%d %s %v", part.Suites[0].Places[i], spec.FullText(), spec.State))
	}
	return lines, reports[0].SpecialSuiteFailureReasons
}

func TestAGuestThatDoesNotReportItsSpecsIsRed(t *testing.T) {
	l := specs(4)
	r := reported(t, t.TempDir(), l[:3], []int{0, 2})[0]
	lines, reasons := shown(t, l, []int{0, 2, 3}, r)
	if want := []string{"0 spec 0 passed", "2 spec 2 passed", "3 spec 3 skipped", "-1 the test binary failed"}; !slices.Equal(lines, want) {
		t.Errorf("it shows %q, expected %q", lines, want)
	}
	if len(reasons) != 1 || !strings.Contains(reasons[0], "1 tests of the list did not run") {
		t.Errorf("the reasons are %q", reasons)
	}
	r.Broken = "the test binary ended with status 2"
	if _, reasons := shown(t, l, []int{0, 2, 3}, r); !slices.Equal(reasons, []string{r.Broken}) {
		t.Errorf("the reasons are %q, expected what the suite says", reasons)
	}
}

func TestSubtestsAreWithTheirTestAndRepetitionsBesideEachOther(t *testing.T) {
	plain := Suite{Package: "example.com/plain"}
	l := List{{Suite: plain, Name: "TestA"}, {Suite: plain, Name: "TestB"}, {Suite: plain, Name: "TestC"}}
	r := SuiteReport{Suite: plain, Report: types.Report{SuiteSucceeded: true}}
	for _, name := range []string{"TestC", "TestA", "TestA/x", "TestA/x/y", "TestC", "TestA", "TestA/x", "TestB"} {
		r.Report.SpecReports = append(r.Report.SpecReports, types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: name, State: types.SpecStatePassed})
	}
	lines, reasons := shown(t, l, []int{0, 2}, r) // TestB is of another shard
	want := []string{"0 TestA passed", "0 TestA/x passed", "0 TestA/x/y passed", "0 TestA passed", "0 TestA/x passed", "2 TestC passed", "2 TestC passed"}
	if !slices.Equal(lines, want) || reasons != nil {
		t.Errorf("it shows %q, reasons %q, expected %q", lines, reasons, want)
	}
}

func TestSpecsOfOneTextAreToldApartByTheirPlaces(t *testing.T) {
	at := func(line int) types.CodeLocation { return types.CodeLocation{FileName: "a.go", LineNumber: line} }
	var l List
	r := SuiteReport{Suite: suite}
	for i, line := range []int{3, 7, 9, 9} { // nothing tells the last two apart
		l = append(l, Unit{Suite: suite, Name: "answers", Location: at(line).String()})
		r.Report.SpecReports = append(r.Report.SpecReports, types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: "answers", LeafNodeLocation: at(line),
			State: []types.SpecState{types.SpecStatePassed, types.SpecStateFailed, types.SpecStatePassed, types.SpecStateFailed}[i]})
	}
	slices.Reverse(r.Report.SpecReports)
	lines, _ := shown(t, l, []int{0, 1, 2, 3}, r)
	if want := []string{"0 answers passed", "1 answers failed", "2 answers failed", "3 answers passed"}; !slices.Equal(lines, want) {
		t.Errorf("it shows %q, expected %q", lines, want)
	}
}

func TestSuitesAreJoinedEachByItself(t *testing.T) {
	var suites []Suite
	var l List
	for _, name := range []string{"example.com/a", "example.com/b"} {
		s := Suite{Package: name}
		suites = append(suites, s)
		for i := range 3 {
			l = append(l, Unit{Suite: s, Name: fmt.Sprintf("Test%d", i), Cost: 1})
		}
	}
	var directories []string
	for n, places := range [][]int{{0, 2, 4}, {1, 3, 5}} {
		directory := t.TempDir()
		var reports []SuiteReport
		for _, s := range suites {
			r := types.Report{SuitePath: s.Package, SuiteDescription: s.Package, SuiteSucceeded: true}
			for _, place := range l.Of(s, places) {
				r.SpecReports = append(r.SpecReports, types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: l[place].Name, State: types.SpecStatePassed})
			}
			reports = append(reports, SuiteReport{Suite: s, Report: r})
		}
		if _, err := (Part{Shard: n + 1, Places: places}).Write(directory, l, reports); err != nil {
			t.Fatal(err)
		}
		directories = append(directories, directory)
	}
	opened, err := Open(directories...)
	if err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	all, err := Join(into, opened)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range all {
		for _, spec := range r.SpecReports {
			lines = append(lines, r.SuitePath+" "+spec.LeafNodeText)
		}
	}
	want := []string{"example.com/a Test0", "example.com/a Test1", "example.com/a Test2", "example.com/b Test0", "example.com/b Test1", "example.com/b Test2"}
	if !slices.Equal(lines, want) {
		t.Errorf("the reports are %q, expected %q", lines, want)
	}
	// Plain tests have the names of go test.
	junit, err := os.ReadFile(filepath.Join(into, JUnitFile))
	if err != nil || strings.Count(string(junit), `<testcase name="Test1" classname="example.com/`) != 2 {
		t.Errorf("%v:\n%s", err, junit)
	}
}

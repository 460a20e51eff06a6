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

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// reported writes what the guest of a shard leaves: it knows all specs, in an order of its
// own, and has run those of its shard.
func reported(t *testing.T, directory string, l List, places []int, failed ...int) {
	t.Helper()
	began := time.Date(2026, 1, 1, 0, 0, 2, len(places), time.UTC)
	r := types.Report{
		SuiteDescription: "halfopen", SuitePath: "/suites", SuiteSucceeded: len(failed) == 0,
		SuiteConfig: types.SuiteConfig{RandomSeed: 1, FocusStrings: []string{fmt.Sprint(places)}},
		PreRunStats: types.PreRunStats{TotalSpecs: len(l), SpecsThatWillRun: len(places)},
		StartTime:   began, EndTime: began.Add(time.Hour), RunTime: time.Hour,
	}
	for _, place := range rand.New(rand.NewPCG(1, uint64(len(places)))).Perm(len(l)) {
		spec := types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: l[place].Text, State: types.SpecStateSkipped, StartTime: began}
		if slices.Contains(places, place) {
			spec.State = types.SpecStatePassed
		}
		if slices.Contains(failed, place) {
			spec.State = types.SpecStateFailed
			spec.Failure = types.Failure{Message: "not in time"}
			evidence := filepath.Join(directory, Failed, strings.ReplaceAll(l[place].Text, " ", "-"))
			if err := os.MkdirAll(evidence, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(evidence, "timeline.txt"), []byte(l[place].Text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.SpecReports = append(r.SpecReports, spec)
	}
	r.SpecReports = append(r.SpecReports, types.SpecReport{LeafNodeType: types.NodeTypeReportAfterSuite, State: types.SpecStatePassed})
	if err := reporters.GenerateJSONReport(r, filepath.Join(directory, JSONFile)); err != nil {
		t.Fatal(err)
	}
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
		if len(places) > 0 {
			reported(t, directory, l, places, places[0])
		}
		part := Part{Shard: i + 1, Places: places, Run: Run{Seed: 1, Kernel: "Linux 6.12", Memory: Memory, Programs: "p"}}
		if change != nil {
			change(&part)
		}
		if _, err := part.Write(directory, l); err != nil {
			t.Fatal(err)
		}
		directories = append(directories, directory)
	}
	return directories
}

// joined joins parts and returns the report and its files by name.
func joined(t *testing.T, directories []string) (types.Report, map[string]string) {
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
	if err != nil {
		t.Fatal(err)
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
	return all, files
}

func TestAllShardsTogetherReportEachSpecOnceInTheOrderOfTheList(t *testing.T) {
	all, files := joined(t, parts(t, 100, nil))
	var texts, expected []string
	for _, spec := range all.SpecReports {
		if spec.State.Is(types.SpecStateSkipped) {
			t.Errorf("%s was skipped", spec.LeafNodeText)
		}
		texts = append(texts, spec.LeafNodeText)
	}
	for _, spec := range specs(100) {
		expected = append(expected, spec.Text)
	}
	if !slices.Equal(texts, expected) {
		t.Errorf("the report has %q", texts)
	}
	if all.SuiteSucceeded || all.PreRunStats.SpecsThatWillRun != 100 || all.SuiteConfig.FocusStrings != nil || all.RunTime != time.Hour {
		t.Errorf("succeeded: %v, %d specs, focus %q, %v", all.SuiteSucceeded, all.PreRunStats.SpecsThatWillRun, all.SuiteConfig.FocusStrings, all.RunTime)
	}
	if len(files) != 2+Count { // the first spec of each shard has failed
		t.Errorf("the report is %q", slices.Sorted(maps.Keys(files)))
	}
}

func TestTheOrderOfThePartsChangesNoByte(t *testing.T) {
	directories := parts(t, 100, nil)
	_, first := joined(t, directories)
	for range 5 {
		rand.Shuffle(len(directories), func(i, j int) { directories[i], directories[j] = directories[j], directories[i] })
		if _, again := joined(t, directories); !maps.Equal(again, first) {
			t.Fatalf("the parts in the order %q give other bytes", directories)
		}
	}
}

func TestWithFewSpecsTheEmptyShardsNeedNotBeThere(t *testing.T) {
	directories := parts(t, 20, nil)
	_, all := joined(t, directories)
	if _, two := joined(t, directories[:2]); !maps.Equal(all, two) {
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
		{"one is missing", fmt.Sprintf("%d of 100 specs are missing: there is no report of shard 3/8", len(specs(100).Assign()[2])), slices.Delete(slices.Clone(whole), 2, 3)},
		{"one is there twice", "are both shard 3", append(slices.Clone(whole), copied)},
		{"one is no report of a shard", "has no part.json", append(slices.Clone(whole), t.TempDir())},
		{"one has another seed", "differ in their seed: 1 and 2", other(func(p *Part) { p.Run.Seed = 2 })},
		{"one has another focus", `differ in their focus: "" and "keepalive"`, other(func(p *Part) { p.Run.Focus = "keepalive" })},
		{"one ran on another kernel", `differ in their kernel: "Linux 6.12" and "Linux 6.1"`, other(func(p *Part) { p.Run.Kernel = "Linux 6.1" })},
		{"one had other programs", "differ in their programs", other(func(p *Part) { p.Run.Programs = "q" })},
		{"one is of another list", "differ in their list of specs", append(slices.Clone(whole[:7]), parts(t, 101, nil)[7])},
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
	all, err := Join(t.TempDir(), reports, "shard 8/8 left no report")
	if err != nil || all.SuiteSucceeded || !slices.Equal(all.SpecialSuiteFailureReasons, []string{"shard 8/8 left no report"}) || len(all.SpecReports) != 100-len(specs(100).Assign()[7]) {
		t.Errorf("joined: %v, succeeded %v, reasons %q, %d specs", err, all.SuiteSucceeded, all.SpecialSuiteFailureReasons, len(all.SpecReports))
	}
}

func TestAGuestThatDoesNotReportItsSpecsIsAnError(t *testing.T) {
	l := specs(10)
	directory := t.TempDir()
	reported(t, directory, l[:9], []int{0, 1})
	if _, err := (Part{Shard: 1, Places: []int{0, 9}}).Write(directory, l); err == nil || !strings.Contains(err.Error(), `has no spec "spec 9"`) {
		t.Errorf("its part: %v", err)
	}
	if err := os.WriteFile(filepath.Join(directory, JSONFile), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Part{Shard: 1, Places: []int{0}}).Write(directory, l); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("the part of an empty report: %v", err)
	}
}

func TestTwoSpecsOfOneTextAreAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.json")
	if err := (List{{Text: "answers"}, {Text: "answers"}}).Write(file); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadList(file); err == nil || !strings.Contains(err.Error(), `two specs have the text "answers"`) {
		t.Errorf("reading the list: %v", err)
	}
}

package gotest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// said is in the environment of the tests of testdata/plain.
var said = []string{"SAID=by the caller"}

// prepared has process 1 and is ready to run.
func prepared(t *testing.T, tests *Tests) *Virtual {
	t.Helper()
	system, err := root.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Files.Build(t.Context(), virtual.InitFile, "../guest/init"); err != nil {
		t.Fatal(err)
	}
	v, err := tests.Virtual(t.Context(), VirtualConfig{Root: system, Environment: said, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// states are the tests of a report with their states.
func states(r *Report) (lines []string) {
	for _, s := range r.Suites {
		for _, spec := range s.SpecReports {
			if spec.LeafNodeType == types.NodeTypeIt {
				lines = append(lines, fmt.Sprintf("%s %v", spec.FullText(), spec.State))
			}
		}
	}
	return lines
}

// outcomes of testdata/plain, as go test has them.
var plainStates = []string{
	"TestPasses passed", "TestFails failed", "TestSkips skipped",
	"TestHasSubtests failed", "TestHasSubtests/a_b passed", "TestHasSubtests/c failed", "TestHasSubtests/c/d failed",
	"TestReadsItsDirectory passed", "TestSleepsForADay passed", "TestFindsWhatProgramsFind passed", "FuzzSeeds passed", "FuzzSeeds/seed#0 passed", "Example passed",
}

func TestPlainTestsInVirtualTime(t *testing.T) {
	t.Parallel()
	v := prepared(t, compiled(t, Config{Packages: []string{"./testdata/plain"}}))
	directory := t.TempDir()
	r, err := v.Run(t.Context(), Settings{Seed: 1}, directory)
	if err != nil {
		t.Fatal(err)
	}
	if got := states(r); !slices.Equal(got, plainStates) {
		t.Errorf("the tests are %q, expected %q", got, plainStates)
	}
	if r.Passed() || len(r.Reasons()) > 0 {
		t.Errorf("passed %v, reasons %q", r.Passed(), r.Reasons())
	}
	var out strings.Builder
	if err := r.Print(&out, false, false); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"--- FAIL: TestFails (0.00s)\n    plain_test.go:13: expected to\n",
		"--- FAIL: TestHasSubtests (0.00s)\na subtest failed\n",
		"        --- FAIL: TestHasSubtests/c/d (0.00s)\n            plain_test.go:20: deep\n",
		"FAIL\tgithub.com/halfopen-lab/halfopen/harness/virtual/gotest/testdata/plain\t86400.",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("printed:\n%s\nexpected %q", &out, line)
		}
	}
	if strings.Contains(out.String(), "it says so") {
		t.Errorf("what passed is printed:\n%s", &out)
	}
	out.Reset()
	if err := r.Print(&out, true, false); err != nil || !strings.Contains(out.String(), "--- PASS: TestPasses (0.00s)\n    plain_test.go:11: it says so\n") {
		t.Errorf("with -v: %v, printed:\n%s", err, &out)
	}
	if left, err := filepath.Glob(filepath.Join(directory, "*")); err != nil || len(left) != 3 { // JSON, JUnit, wall
		t.Errorf("the report is %q, %v", left, err)
	}
}

func TestATestBinaryThatEndsTooEarlyOrBadlySaysWhy(t *testing.T) {
	t.Parallel()
	v := prepared(t, compiled(t, Config{Packages: []string{"./testdata/panics", "./testdata/exits"}}))
	directory := t.TempDir()
	r, err := v.Run(t.Context(), Settings{Seed: 1}, directory)
	if err != nil {
		t.Fatal(err)
	}
	junit, err := os.ReadFile(filepath.Join(directory, shard.JUnitFile))
	if err != nil || strings.Count(string(junit), `<testcase name="the test binary"`) != 2 || !strings.Contains(string(junit), `<testsuites tests="6" disabled="1" errors="0" failures="3"`) {
		t.Errorf("%v, the JUnit report is\n%s", err, junit)
	}
	if got, want := states(r), []string{"TestPasses passed", "TestBefore passed", "TestPanics failed", "TestAfter skipped"}; !slices.Equal(got, want) {
		t.Errorf("the tests are %q, expected %q", got, want)
	}
	want := []string{
		"the test binary ended with status 1 although its tests passed. It printed:\na goroutine is left",
		"the test binary ended with status 2 before all of its tests had run",
	}
	if reasons := r.Reasons(); !slices.Equal(reasons, want) || r.Passed() {
		t.Errorf("passed %v, the reasons are %q, expected %q", r.Passed(), reasons, want)
	}
	for _, spec := range r.Specs() {
		if spec.LeafNodeText == "TestPanics" && !strings.Contains(spec.Failure.Message, "panic: no more") {
			t.Errorf("of the panic it says %q", spec.Failure.Message)
		}
	}
}

// withPending returns the flag of go test with which testdata/specs has a pending spec. The
// file itself has none: somebody who looks for pending specs should find none.
func withPending(t *testing.T) string {
	t.Helper()
	const file, place = "testdata/specs/specs_test.go", "// withPending puts a pending spec here."
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	other, overlay := filepath.Join(directory, "specs_test.go"), filepath.Join(directory, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{replaced: other}})
	if err == nil {
		err = errors.Join(
			os.WriteFile(other, []byte(strings.Replace(string(source), place, `It("is pending", Pending, func() {})`, 1)), 0o644),
			os.WriteFile(overlay, content, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + overlay
}

// specStates are those of testdata/specs with a pending spec.
var specStates = []string{
	"TestBesideTheSpecs passed",
	"a table has one passed", "a table has three passed", "a table has two passed", "a table has one passed",
	"a table is said twice passed", "a table is said twice passed",
	"a table fails failed", "a table is pending pending", "a table is skipped skipped",
	"an order begins passed", "an order goes on passed", "a directory is the package's passed",
}

func TestGinkgosSpecsInVirtualTime(t *testing.T) {
	t.Parallel()
	v := prepared(t, compiled(t, Config{Packages: []string{"./testdata/specs"}, Flags: []string{withPending(t)}}))
	r, err := v.Run(t.Context(), Settings{Seed: 1}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := states(r); !slices.Equal(got, specStates) {
		t.Errorf("the specs are %q, expected %q", got, specStates)
	}
	if r.Passed() || len(r.Reasons()) > 0 {
		t.Errorf("passed %v, reasons %q", r.Passed(), r.Reasons())
	}
	for _, unit := range v.list {
		if unit.Name == "a table fails" && (unit.Cost != 3 || unit.Wait.Hours() != 2) {
			t.Errorf("its labels say that it costs %d and waits %v", unit.Cost, unit.Wait)
		}
	}
}

func TestSomeSpecsAndNoOthers(t *testing.T) {
	t.Parallel()
	tests := compiled(t, Config{Packages: []string{"./testdata/specs", "./testdata/plain"}, Focus: "has one|goes on"})
	v := prepared(t, tests)
	r, err := v.Run(t.Context(), Settings{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := states(r), []string{"a table has one passed", "a table has one passed", "an order goes on failed"}; !slices.Equal(got, want) {
		t.Errorf("the specs are %q, expected %q", got, want)
	}
	r, err = v.Run(t.Context(), Settings{Only: func(u shard.Unit) bool { return strings.HasPrefix(u.Name, "a table") }}, t.TempDir())
	if err != nil || len(r.Specs()) != 2 || !r.Passed() {
		t.Errorf("of these two: %q, %v", states(r), err)
	}
}

func TestARunThatIsEndedEarlyReportsWhatItHasShown(t *testing.T) {
	t.Parallel()
	v := prepared(t, compiled(t, Config{Packages: []string{"./testdata/plain"}, Flags: []string{"-run=Passes|Sleeps", "-count=500"}}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	directory := t.TempDir()
	r, err := v.Run(ctx, Settings{Seed: 1, Ended: cancel}, directory)
	if !errors.Is(err, context.Canceled) || r == nil {
		t.Fatalf("the report %v, error %v", r, err)
	}
	if specs := r.Specs(); specs.CountWithState(types.SpecStatePassed) == 0 || len(specs) >= 1000 {
		t.Errorf("%d of %d tests passed", specs.CountWithState(types.SpecStatePassed), len(specs))
	}
	if reasons := r.Reasons(); !slices.Contains(reasons, "the test binary ended with status 130 before all of its tests had run") || r.Passed() {
		t.Errorf("passed %v, reasons %q", r.Passed(), reasons)
	}
	if _, err := os.Stat(filepath.Join(directory, shard.JUnitFile)); err != nil {
		t.Error(err)
	}
}

// files are the files of a report by name, but the one with its times.
func files(t *testing.T, directory string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != shard.WallFile {
			content, err := os.ReadFile(path)
			files[path[len(directory):]] = string(content)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Repeated tests are enough for several shards.
func TestTheReportIsTheSameBytesOnAnyNumberOfCoresAndMerged(t *testing.T) {
	t.Parallel()
	v := prepared(t, compiled(t, Config{Packages: []string{"./testdata/plain", "./testdata/specs", "./testdata/exits"}, Flags: []string{"-count=2", withPending(t)}}))
	var runs []map[string]string
	for _, atOnce := range []int{1, 2, shard.Count} {
		directory := t.TempDir()
		r, err := v.Run(t.Context(), Settings{Seed: 7, AtOnce: atOnce}, directory)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(states(r)), 2*(len(plainStates)+len(specStates)+1); got != want {
			t.Errorf("%d tests, expected each twice: %d", got, want)
		}
		runs = append(runs, files(t, directory))
	}
	var parts []string
	for n := 1; n <= shard.Count; n++ {
		directory := t.TempDir()
		if _, err := v.Run(t.Context(), Settings{Seed: 7, Shard: n}, directory); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, directory)
	}
	into := filepath.Join(t.TempDir(), "merged")
	if _, _, err := Merge(into, parts); err != nil {
		t.Fatal(err)
	}
	merged := files(t, into)
	for name := range merged {
		if strings.HasPrefix(filepath.Base(name), ".") { // the mark of a report's directory
			delete(merged, name)
		}
	}
	for i, run := range append(runs[1:], merged) {
		for name, content := range run {
			if content != runs[0][name] {
				t.Errorf("run %d differs in %s", i+2, name)
			}
		}
		if len(run) != len(runs[0]) {
			t.Errorf("run %d has %d files, the first %d", i+2, len(run), len(runs[0]))
		}
	}
}

func TestOnTheRunningKernelTestsAreTheSame(t *testing.T) {
	t.Parallel()
	tests := compiled(t, Config{Packages: []string{"./testdata/plain", "./testdata/specs"}, Flags: []string{"-short", "-skip=FindsWhat", withPending(t)}})
	h, err := tests.Host(t.Context(), HostConfig{})
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	r, err := h.Run(t.Context(), Settings{Seed: 1, Lab: environment.Settings{LeaveOut: "fault 1"}}, directory)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(plainStates, specStates)
	want[slices.Index(want, "TestSleepsForADay passed")] = "TestSleepsForADay skipped" // it is short
	want = slices.DeleteFunc(want, func(line string) bool { return strings.HasPrefix(line, "TestFindsWhat") })
	if got := states(r); !slices.Equal(got, want) {
		t.Errorf("the tests are %q, expected %q", got, want)
	}
	if left, err := filepath.Glob(filepath.Join(directory, "*")); err != nil || len(left) != 2 {
		t.Errorf("the report is %q, %v", left, err)
	}
}

package gotest

import (
	"slices"
	"strings"
	"testing"
)

// compiled compiles packages below testdata.
func compiled(t *testing.T, c Config) *Tests {
	t.Helper()
	c.Environment = append(c.Environment, "CGO_ENABLED=0")
	tests, err := Compile(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tests.Close(); err != nil {
			t.Error(err)
		}
	})
	return tests
}

func TestTheFunctionsOfAPackageAreThoseThatGoTestCalls(t *testing.T) {
	tests := compiled(t, Config{Packages: []string{"./testdata/plain", "./testdata/specs", "./testdata/untested", "./testdata/tagged"}, Flags: []string{"-tags=special"}})
	var found []string
	for _, p := range tests.packages {
		for _, f := range p.functions {
			name := strings.TrimPrefix(p.path, "github.com/halfopen-lab/halfopen/harness/virtual/gotest/testdata/") + " " + f.name
			if f.ginkgo {
				name += " runs specs"
			}
			found = append(found, name)
		}
	}
	expected := []string{
		"plain TestPasses", "plain TestFails", "plain TestSkips", "plain TestHasSubtests", "plain TestReadsItsDirectory", "plain TestSleepsForADay",
		"plain TestFindsWhatProgramsFind", "plain FuzzSeeds", "plain Example",
		"specs TestBesideTheSpecs", "specs TestSpecs runs specs", "tagged TestTagged",
	}
	if !slices.Equal(found, expected) {
		t.Errorf("found %q, expected %q", found, expected)
	}
	const untested = "?   \tgithub.com/halfopen-lab/halfopen/harness/virtual/gotest/testdata/untested\t[no test files]"
	if !slices.Equal(tests.untested, []string{untested}) {
		t.Errorf("without tests are %q", tests.untested)
	}
}

func TestWhatCannotRunIsSaidBeforeAnythingSlow(t *testing.T) {
	plain := []string{"./testdata/plain"}
	for _, c := range []struct {
		what, expected string
		config         Config
	}{
		{"no such package", "directory not found", Config{Packages: []string{"./testdata/nowhere"}}},
		{"no tests", "there are no tests in ./testdata/untested", Config{Packages: []string{"./testdata/untested"}}},
		{"a test that does not compile", "testdata/broken/broken_test.go:5:31: undefined: undefined", Config{Packages: []string{"./testdata/broken"}}},
		{"a name that no test has", `no test's name matches "TestNowhere"`, Config{Packages: plain, Flags: []string{"-run=TestNowhere"}}},
		{"a pattern that is none", `the pattern "(" is not a regular expression`, Config{Packages: plain, Flags: []string{"-run=("}}},
		{"a focus that is none", `the focus "(" is not a regular expression`, Config{Packages: plain, Focus: "("}},
		{"a focus without specs", "no package here has any: choose tests by their names instead", Config{Packages: plain, Focus: "x"}},
		{"Ginkgo's flag for it", "a focus is a flag of its own", Config{Packages: plain, Flags: []string{"-args", "--ginkgo.focus=x"}}},
		{"benchmarks", "-bench makes no sense here", Config{Packages: plain, Flags: []string{"-bench=."}}},
		{"coverage", "-gocoverdir makes no sense here: coverage is not collected", Config{Packages: plain, Flags: []string{"-cover"}}},
		{"JSON", "-json makes no sense here", Config{Packages: plain, Flags: []string{"-json"}}},
		{"no run", "each test is to run 0 times", Config{Packages: plain, Flags: []string{"-count=0"}}},
	} {
		tests, err := Compile(t.Context(), c.config)
		if err == nil || !strings.Contains(err.Error(), c.expected) {
			t.Errorf("%s: %v, expected %q", c.what, err, c.expected)
		}
		if err != nil && !strings.Contains(c.what, "compile") && !strings.Contains(c.what, "such") && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s takes more than a line: %v", c.what, err)
		}
		if err == nil {
			_ = tests.Close()
		}
	}
}

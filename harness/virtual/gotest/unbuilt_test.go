package gotest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

func TestAPackageThatDoesNotCompileStopsNoOther(t *testing.T) {
	tests := compiled(t, Config{Packages: []string{"./testdata/broken", "./testdata/plain"}, Flags: []string{"-run=TestPasses"}})
	virtual := prepared(t, tests)
	host, err := tests.Host(t.Context(), HostConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for where, run := range map[string]func(directory string) (*Report, error){
		"virtual": func(directory string) (*Report, error) { return virtual.Run(t.Context(), Settings{}, directory) },
		"host":    func(directory string) (*Report, error) { return host.Run(t.Context(), Settings{}, directory) },
	} {
		t.Run(where, func(t *testing.T) {
			directory := t.TempDir()
			report, err := run(directory)
			if err != nil {
				t.Fatal(err)
			}
			if report.Passed() || !slices.Equal(states(report), []string{"TestPasses passed"}) {
				t.Errorf("passed: %t, %q; expected that the other package's test passes, and the run does not", report.Passed(), states(report))
			}
			var printed strings.Builder
			if err := report.Print(&printed, false, false); err != nil {
				t.Fatal(err)
			}
			const broken, plain = "testdata/broken/broken_test.go:5:31: undefined: undefined\n", "ok  \tgithub.com/halfopen-lab/halfopen/harness/virtual/gotest/testdata/plain\t"
			if text := printed.String(); strings.Count(text, broken) != 1 || !strings.Contains(text, plain) || !strings.HasSuffix(text, "\nFAIL\n") {
				t.Errorf("it prints\n%s", text)
			}
			content, err := os.ReadFile(filepath.Join(directory, shard.JUnitFile))
			if err != nil || !strings.Contains(string(content), "undefined: undefined") || !strings.Contains(string(content), `status="failed"`) {
				t.Errorf("%s: %v\n%s", shard.JUnitFile, err, content)
			}
		})
	}
	if _, err := virtual.Run(t.Context(), Settings{Shard: 1}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "a shard takes all tests, and ") {
		t.Errorf("one shard: %v", err)
	}
}

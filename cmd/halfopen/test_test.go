package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// module is a copy of docs/examples/shop, in a directory of its own, as somebody else's module.
func module(t *testing.T) (directory string) {
	t.Helper()
	directory = t.TempDir()
	if err := os.CopyFS(directory, os.DirFS("../../docs/examples/shop")); err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(directory, "go.mod")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content = bytes.Replace(content, []byte("=> ../../.."), []byte("=> "+here), 1)
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return directory
}

// files are the files of a report by name, but the one with its times.
func files(t *testing.T, report string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(report, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != shard.WallFile {
			content, err := os.ReadFile(path)
			files[path[len(report)+1:]] = string(content)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Its tests wait for a firewall with an idle timeout of 350 s, by plain tests with a client
// and a server over net/http, and by a Ginkgo spec.
func TestTheTestsOfAnotherModuleInVirtualTime(t *testing.T) {
	t.Parallel()
	halfopen, directory := built(t, "."), module(t)
	var reports []map[string]string
	for range 2 {
		report := filepath.Join(t.TempDir(), "report")
		cmd := exec.Command(halfopen, "test", "./...", "--report", report)
		cmd.Dir = directory
		stdout, stderr, status := ran(t, cmd)
		if status != 0 || !strings.HasPrefix(stdout, "ok  \texample.com/shop\t1404.") || !strings.Contains(stdout, "s (virtual)\n") {
			t.Fatalf("exit status %d:\n%s%s", status, stdout, stderr)
		}
		reports = append(reports, files(t, report))
	}
	for name, content := range reports[0] {
		if content != reports[1][name] {
			t.Errorf("with one seed %s differs", name)
		}
	}
	for _, test := range []string{
		`name="TestAnOrderAfterABreakThatIsLongerThanTheFirewallRemembers/without_keepalive" classname="example.com/shop" status="passed" time="351.`,
		`name="[It] A connection that the firewall has forgotten is half-open: the next sender is reset, and the other end is not told"`,
	} {
		if !strings.Contains(reports[0][shard.JUnitFile], test) {
			t.Errorf("%s has no %s:\n%s", shard.JUnitFile, test, reports[0][shard.JUnitFile])
		}
	}
}

func TestWhatFailsInAnotherModuleLeavesItsEvidence(t *testing.T) {
	t.Parallel()
	halfopen, directory := built(t, "."), module(t)
	const failing = `package shop_test

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestFails(t *testing.T) {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	lab.Connect(5000)
	time.Sleep(time.Hour)
	t.Error("as it should")
}
`
	if err := os.WriteFile(filepath.Join(directory, "fails_test.go"), []byte(failing), 0o644); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report")
	cmd := exec.Command(halfopen, "test", "--run", "TestFails", "--report", report)
	cmd.Dir = directory
	stdout, stderr, status := ran(t, cmd)
	if status != 1 || !strings.HasPrefix(stdout, "--- FAIL: TestFails (3600.") || !strings.Contains(stdout, "fails_test.go:15: as it should\n") || !strings.HasSuffix(stdout, "\nFAIL\n") {
		t.Errorf("exit status %d:\n%s%s", status, stdout, stderr)
	}
	if evidence := filepath.Join(report, "failed/TestFails/timeline.txt"); !strings.Contains(stdout, evidence) {
		t.Errorf("it does not name %s:\n%s", evidence, stdout)
	}
	for _, name := range []string{"failed/TestFails/timeline.txt", "failed/TestFails/packets.pcapng"} {
		if _, there := files(t, report)[name]; !there {
			t.Errorf("the report has no %s", name)
		}
	}
}

// In real time the timeout is short.
func TestTheTestsOfAnotherModuleOnTheRunningKernel(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(built(t, "."), "test", "--host", "--short", "--run", "Test/without|TestSpecs", "--report", filepath.Join(t.TempDir(), "report"))
	cmd.Dir = module(t)
	stdout, stderr, status := ran(t, cmd)
	if status != 0 || !strings.HasPrefix(stdout, "ok  \texample.com/shop\t") || strings.Contains(stdout, "virtual") {
		t.Errorf("exit status %d:\n%s%s", status, stdout, stderr)
	}
}

func TestArgumentsOfTestThatMakeNoSenseAreOneLine(t *testing.T) {
	t.Parallel()
	halfopen, directory := built(t, "."), module(t)
	for _, c := range []struct {
		arguments []string
		expected  string
	}{
		{[]string{"--shard", "9/8"}, `halfopen: "9/8" is not a shard: choose from 1/8 to 8/8 (--shard)`},
		{[]string{"--memory", "9"}, "halfopen: 9 MiB of memory for each guest: choose from 256 to 65536 (--machine, --kernel, --memory)"},
		{[]string{"--run", "["}, "halfopen: \"[\" is not a regular expression: missing closing ] at \"[\": write \\ before a character that stands for itself (--run)"},
		{[]string{"--timeout", "5"}, `halfopen: "5" is not a duration such as 10m (--timeout)`},
		{[]string{"--count", "0"}, "halfopen: each test runs 0 times: choose 1 or more (--count)"},
		{[]string{"--seed", "-3"}, "halfopen: the seed -3: choose 0 or more (--seed)"},
		{[]string{"--take", "/nosuch"}, "halfopen: taking /nosuch along: no such file or directory (--take)"},
		{[]string{"--env", "A"}, `halfopen: "A" is not NAME=VALUE (--env)`},
		{[]string{"--run", "Nowhere"}, `halfopen: no test's name matches "Nowhere"`},
		{[]string{"-short", "-run=Nowhere"}, `halfopen: no test's name matches "Nowhere"`},
		{[]string{"-nowhere"}, "halfopen: there is no flag -nowhere: the nearest are --help, --machine, --merge ('halfopen test --help' lists all)"},
		{[]string{"--focus", "nowhere"}, `halfopen: no spec's text matches "nowhere"`},
		{[]string{"--merge"}, "halfopen: name the directories with the reports of the shards"},
		{[]string{"--", "-bench=."}, "halfopen: -bench makes no sense here: benchmarks measure real time: run them with go test"},
	} {
		cmd := exec.Command(halfopen, slices.Concat([]string{"test", "--report", filepath.Join(t.TempDir(), "report")}, c.arguments)...)
		cmd.Dir = directory
		if stdout, stderr, status := ran(t, cmd); status != 2 || stdout != "" || strings.TrimSpace(stderr) != c.expected {
			t.Errorf("%q: exit status %d, printed %q and %q, expected %q", c.arguments, status, stdout, stderr, c.expected)
		}
	}
}

func TestThePageOnYourOwnModuleShowsTheExampleAsItIs(t *testing.T) {
	page, err := os.ReadFile("../../docs/your-own-module.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shop_test.go", "specs_test.go"} {
		code, err := os.ReadFile(filepath.Join("../../docs/examples/shop", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```go\n"+string(code)+"```\n") {
			t.Errorf("docs/your-own-module.md shows another %s than docs/examples/shop", name)
		}
	}
}

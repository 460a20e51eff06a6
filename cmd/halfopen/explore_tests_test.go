package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/ladder"
)

// The module docs/examples/orders has a client that orders twice, and one that does not. One run of
// each is enough here: what the exploration itself does, package explore's tests show.
func TestExploreATestOfAnotherModule(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report")
	explore := func(test, report string) (out string, status int) {
		cmd := exec.Command(built(t, "."), "explore", "test", "--run", "^"+test+"$", "--fault", "RST to both ends", "--at", "45ms", "--report", report)
		cmd.Dir = "../../docs/examples/orders"
		content, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(content), cmd.ProcessState.ExitCode()
	}
	out, status := explore("TestHasty", report)
	if status != broken {
		t.Fatalf("exit status %d:\n%s", status, out)
	}
	for _, want := range []string{
		"assertion orders_test.go:42: tea was ordered 2 times\n", "\n   halfopen explore test --run '^TestHasty$' --fault 'RST to both ends' --at 45ms --healed never\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("printed:\n%s\nexpected %q", out, want)
		}
	}
	if kept, err := filepath.Glob(filepath.Join(report, "findings", "*", ladder.File)); err != nil || len(kept) != 1 {
		entries, _ := os.ReadDir(report)
		t.Errorf("the story of the finding is %q, %v, of %v", kept, err, entries)
	}
	if out, status := explore("TestCareful", report+"-careful"); status != kept || !strings.Contains(out, "Nothing found: all invariants held in 1 run.") {
		t.Errorf("the careful client: exit status %d:\n%s", status, out)
	}
}

func TestThePageAboutExploringATestShowsTheExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/explore-a-test.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"orders_test.go"} {
		code, err := os.ReadFile(filepath.Join("../../docs/examples/orders", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```go\n"+string(code)+"```\n") {
			t.Errorf("docs/explore-a-test.md shows another %s than docs/examples/orders", name)
		}
	}
}

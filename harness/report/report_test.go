package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/report"
)

func TestWhatIsNoReportIsLeftAlone(t *testing.T) {
	thesis := filepath.Join(t.TempDir(), "thesis.tex")
	if err := os.WriteFile(thesis, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := report.Empty(filepath.Dir(thesis))
	if err == nil || !strings.Contains(err.Error(), "has other files: choose an empty directory") {
		t.Errorf("emptying a directory with a thesis: %v", err)
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Errorf("the thesis is gone: %v", err)
	}
}

func TestTheReportOfAnEarlierRunIsReplaced(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "deep", "report")
	if err := report.Empty(directory); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(directory, "ginkgo.json")
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := report.Empty(directory); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("the report of the earlier run is still there (%v)", err)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func TestAReportIsPrintedAgain(t *testing.T) {
	directory := t.TempDir()
	found := &answer.Answer{Program: answer.Program{Side: "server", Command: "nginx", Port: 80}, Kernel: "Linux 6.1"}
	if err := found.Write(directory); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{"": found.Text(), "--markdown": found.Markdown(), "--json": `"command": "nginx"`} {
		arguments := []string{"report", directory}
		if flag != "" {
			arguments = append(arguments, flag)
		}
		status, stdout, stderr := shell(t, arguments...)
		if status != kept || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit status %d, %s; printed %s", flag, status, stderr, stdout)
		}
	}
}

func TestAReportThatIsNone(t *testing.T) {
	empty, other, failed := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(other, answer.JSONFile), []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&answer.Answer{Trouble: "it never listened"}).Write(failed); err != nil {
		t.Fatal(err)
	}
	for directory, want := range map[string]string{empty: "there is no answer of an audit in", other: "is no answer of an audit", failed: "it never listened"} {
		if status, _, stderr := shell(t, "report", directory); status != notMeasured || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit status %d, expected %d and %q: %s", status, notMeasured, want, stderr)
		}
	}
}

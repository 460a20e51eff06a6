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
	empty, failed := t.TempDir(), t.TempDir()
	if err := (&answer.Answer{Trouble: "it never listened"}).Write(failed); err != nil {
		t.Fatal(err)
	}
	wants := map[string]string{empty: "there is no answer of an audit in", failed: "that audit failed: it never listened"}
	for content, want := range map[string]string{
		"[]":                       "is not the answer of an audit: ",
		"{}":                       "it has no schema_version: run the audit again",
		`{"version":999}`:          "it has no schema_version: run the audit again",
		`{"schema_version":999}`:   "has schema version 999, and this halfopen reads 1: ",
		`{"schema_version":"one"}`: "is not the answer of an audit: ",
	} {
		directory := t.TempDir()
		if err := os.WriteFile(filepath.Join(directory, answer.JSONFile), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		wants[directory] = want
	}
	for directory, want := range wants {
		if status, stdout, stderr := shell(t, "report", directory); status != notMeasured || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit status %d, expected %d and %q: %s%s", status, notMeasured, want, stdout, stderr)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with the arguments is said before anything is packed, fetched or measured.
func TestBadArgumentsAreRefusedAtOnce(t *testing.T) {
	directory := t.TempDir()
	baseline := filepath.Join(directory, "baseline.json")
	if err := os.WriteFile(baseline, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	server := []string{"--server", "cat", "--port", "5000", "--report", filepath.Join(directory, "report")}
	for _, c := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"audit"}, "there is no program to audit"},
		{append([]string{"audit", "--baseline", baseline}, server...), "it has no schema_version"},
		{append([]string{"audit", "--baseline", "/nosuch/b.json", "--update"}, server...), "there is no directory /nosuch"},
		{append([]string{"audit", "--baseline", filepath.Join(directory, "report", "b.json")}, server...), "which every audit empties"},
		{append([]string{"audit", "--update"}, server...), "--update needs --baseline"},
		{append([]string{"audit", "--env", "FOO"}, server...), `the variable "FOO" has no name or no value`},
		{append([]string{"audit", "--watch", "2000000h"}, server...), "the time to watch, 2000000h0m0s, must be from 1s"},
		{append([]string{"audit", "--take", "x:/init"}, server...), "/init is halfopen's own file"},
		{append([]string{"audit", "--send", `\q`}, server...), "has an escape that is none"},
		{append([]string{"run", "host", "powered", "off"}, server...), `there is no fault "host": quote it: halfopen run "host powered off"`},
		{append([]string{"run", "aws-alb"}, server...), "the preset aws-alb cannot be run"},
		{append([]string{"run", "azure-lb=10"}, server...), "the idle timeout in azure-lb=10: it must be between 4 min and 100 min"},
		{append([]string{"run", "outage of 0 s"}, server...), `the "0 s" in "outage of 0 s": it must be between 1 s and 24 h`},
		{append([]string{"audit", "--fault", "outtage of 45 s"}, server...), `there is no fault "outtage of 45 s": the nearest are "outage of 45 s", `},
		{append([]string{"audit", "--fault", "accept queue full"}, server...), "is measured where a client is under test"},
	} {
		status, out, stderr := shell(t, c.arguments...)
		if status != notMeasured || out != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q; expected one line with %q", c.arguments, status, out, stderr, c.want)
		}
	}
}

func TestAnUnknownFaultIsQuotedWithTheNearestAndAList(t *testing.T) {
	status, _, stderr := shell(t, "run", "host powered of", "--server", "cat", "--port", "5000")
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if want := `halfopen: there is no fault "host powered of": the nearest are "host powered off", `; status != notMeasured || !strings.HasPrefix(lines[0], want) {
		t.Errorf("exit status %d, expected %d and %q: %s", status, notMeasured, want, stderr)
	}
	if status, _, stderr := shell(t, "run"); status != notMeasured || !strings.HasPrefix(stderr, "halfopen: run needs a fault: ") || !strings.Contains(stderr, "\n  outage of TIME ") {
		t.Errorf("without a fault: exit status %d, expected a list: %s", status, stderr)
	}
	if len(lines) < 5 || !strings.HasPrefix(lines[1], "  process killed ") {
		t.Errorf("expected the faults, one a line:\n%s", stderr)
	}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// programs are those of this module that the tests have built, each once, by their paths.
var programs = struct {
	sync.Mutex
	directory string
	files     map[string]string
}{files: map[string]string{}}

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(programs.directory)
	os.Exit(status)
}

// built is a program of this module, as a user has it: the test binary would run its tests
// again.
func built(t *testing.T, path string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if file, ok := programs.files[path]; ok {
		return file
	}
	if programs.directory == "" {
		directory, err := os.MkdirTemp("", "halfopen-programs-")
		if err == nil {
			err = os.Chmod(directory, 0o755) // tests run them as other users
		}
		if err != nil {
			t.Fatal(err)
		}
		programs.directory = directory
	}
	file := filepath.Join(programs.directory, fmt.Sprintf("program-%d", len(programs.files)))
	if out, err := exec.Command("go", "build", "-o", file, path).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", path, err, out)
	}
	programs.files[path] = file
	return file
}

// audited runs halfopen audit and returns what it prints, and its exit status.
func audited(t *testing.T, arguments ...string) (stdout, stderr string, status int) {
	t.Helper()
	return halfopen(t, append([]string{"audit"}, arguments...)...)
}

// halfopen runs the command halfopen and returns what it prints, and its exit status.
func halfopen(t *testing.T, arguments ...string) (stdout, stderr string, status int) {
	t.Helper()
	return ran(t, exec.Command(built(t, "."), arguments...))
}

// ran runs a program and returns what it prints, and its exit status.
func ran(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return out.String(), complaint.String(), cmd.ProcessState.ExitCode()
}

// Go's listeners switch keepalive on, 15/15/9 (package net, ListenConfig).
func TestAnAuditOfAServerInGo(t *testing.T) {
	t.Parallel()
	report := t.TempDir()
	promises := filepath.Join(t.TempDir(), "halfopen.yaml")
	text := "server: " + built(t, "../../fixtures/programs/echo") + "\nport: 5000\nwatch: 4m\nexpect:\n  notices: {process killed: 1s, host powered off: 60s}\n"
	if err := os.WriteFile(promises, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := audited(t, "-f", promises, "--json", "--report", report)
	if status != broken || !strings.Contains(stderr, "broken: host powered off: to be noticed within 1m0s; what happened: ETIMEDOUT") || strings.Contains(stderr, "process killed: to be") {
		t.Errorf("exit status %d:\n%s", status, stderr)
	}
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("%v:\n%s", err, stdout)
	}
	keepalive := oracle.Keepalive{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}
	if s := a.Settings; s == nil || !s.Keepalive || s.Idle != answer.Of(keepalive.Idle) || s.Interval != answer.Of(keepalive.Interval) || s.Count != keepalive.Count || s.UserTimeout != 0 {
		t.Errorf("the settings are %+v", s)
	}
	if a.Wire.Probes < 12 || a.Wire.ProbeSpacing != answer.Of(15*time.Second) || a.Wire.Heartbeat != nil {
		t.Errorf("by itself it does %+v", a.Wire)
	}
	for _, f := range a.Faults {
		if f.Name == "host powered off" && (f.Verdict != answer.Noticing || f.Kernel == nil || !keepalive.Death().Contains(f.Kernel.After.Duration())) {
			t.Errorf("a host that loses power: %s, expected ETIMEDOUT %v", f.Words(), keepalive.Death())
		}
		if _, err := os.Stat(filepath.Join(report, f.Capture)); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for _, name := range []string{answer.JSONFile, answer.MarkdownFile} {
		if _, err := os.Stat(filepath.Join(report, name)); err != nil {
			t.Error(err)
		}
	}
}

// A program that ends at once leaves its last events in the kernel's trace, to be read
// after it has gone.
func TestWhatAProgramLearnedInTheInstantOfItsEndIsTold(t *testing.T) {
	t.Parallel()
	stdout, stderr, _ := audited(t, "--client", built(t, "./testdata/once")+" {server}:{port}", "--port", "5000", "--watch", "10m", "--json", "--report", t.TempDir())
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("%v:\n%s%s", err, stdout, stderr)
	}
	want := map[string]string{
		"process killed":                       "FIN; closes after 0 s; ends (exit status 7) after 0 s",
		"idle timeout of 350 s, RST both ways": "RST; ECONNRESET after 350 s; ends (exit status 7) after 350 s",
	}
	for _, f := range a.Faults {
		if words, ok := want[f.Name]; ok && f.Words() != words {
			t.Errorf("%s: %s, expected %s", f.Name, f.Words(), words)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("these faults are not in the answer: %v", want)
	}
}

func TestAProgramThatCannotBeMeasured(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no licence\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, stderr, status := audited(t, "--server", script, "--port", "5000", "--report", t.TempDir())
	if want := "ended before it listened on port 5000: exit status 3; it wrote: no licence"; status != notMeasured || !strings.Contains(stderr, want) {
		t.Errorf("exit status %d, expected %d and %q:\n%s", status, notMeasured, want, stderr)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// answerOf runs halfopen audit with --json and returns its answer and its exit status.
func answerOf(t *testing.T, arguments ...string) (a *answer.Answer, stderr string, status int) {
	t.Helper()
	stdout, stderr, status := audited(t, append(arguments, "--json", "--report", t.TempDir())...)
	a = &answer.Answer{}
	if err := json.Unmarshal([]byte(stdout), a); err != nil {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	return a, stderr, status
}

// fault returns the row of that title.
func fault(t *testing.T, a *answer.Answer, title string) answer.Fault {
	t.Helper()
	for _, f := range a.Faults {
		if f.Title() == title {
			return f
		}
	}
	t.Fatalf("there is no row %q", title)
	return answer.Fault{}
}

// As Apache, lighttpd and Node keep HTTP connections: for 5 s.
func TestFaultsStrikeBeforeAProgramClosesByItself(t *testing.T) {
	t.Parallel()
	a, stderr, status := answerOf(t, "--server", built(t, "./testdata/shortlived")+" 5000 5s", "--port", "5000", "--send", "hello")
	if status != kept {
		t.Fatalf("exit status %d, expected %d:\n%s", status, kept, stderr)
	}
	if ended := a.Wire.Ended; ended == nil || *ended != (answer.Event{What: "closes", After: answer.Of(5 * time.Second)}) {
		t.Errorf("by itself it ends the session %+v, expected after 5 s", ended)
	}
	if a.Strike == nil || a.Strike.Duration() >= 5*time.Second || !strings.Contains(a.Text(), "closes after 5 s; faults strike before that") {
		t.Errorf("the faults strike after %v:\n%s", a.Strike, a.Text())
	}
	if a.Settings == nil {
		t.Error("the settings are unknown")
	}
	for title, want := range map[string]string{
		"process killed":                "FIN; closes after 0 s",
		"host powered off":              "closes after 5 s, as always",
		"idle timeout of 350 s, silent": "closes after 5 s, as always",
	} {
		if words := fault(t, a, title).Words(); words != want {
			t.Errorf("%s: %q, expected %q", title, words, want)
		}
	}
}

// The fixture's second request ends the connection: the power cut comes too late.
func TestAnEndBeforeTheFaultIsNotNoticed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "halfopen.yaml")
	text := "server: " + built(t, "./testdata/shortlived") + " 5000 1h refused\nport: 5000\nwatch: 10m\nsend: hello\nexpect:\n  notices: {\"host powered off, busy\": 1m}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	a, stderr, status := answerOf(t, "-f", file)
	if status != notMeasured || !strings.Contains(stderr, "not measured: host powered off, busy: to be noticed within 1m0s") {
		t.Errorf("exit status %d, expected %d:\n%s", status, notMeasured, stderr)
	}
	f := fault(t, a, "host powered off, busy")
	if f.Verdict != answer.Unmeasured || f.Noticed != nil || f.Kernel != nil {
		t.Errorf("the row is %+v, expected not to be measured", f)
	}
	for _, part := range []string{"the program closed before the fault", `the last that it sent: "refused"`, "it wrote: a client repeats itself"} {
		if !strings.Contains(f.Words(), part) {
			t.Errorf("%q does not say %q", f.Words(), part)
		}
	}
}

// No fault is quick enough for it.
func TestAProgramThatClosesAtOnceHasAPage(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := audited(t, "--server", built(t, "./testdata/shortlived")+" 5000 0s", "--port", "5000", "--report", t.TempDir())
	if status != notMeasured || !strings.Contains(stderr, "no fault could be measured: the program closed before the fault, 0 s after the connection was made") {
		t.Errorf("exit status %d, expected %d:\n%s", status, notMeasured, stderr)
	}
	if !strings.Contains(stdout, "the program ends the session: closes after 0 s") {
		t.Errorf("the page:\n%s", stdout)
	}
}

// The trace may tell of the client's end as early as of its connection.
func TestAClientThatEndsAtOnceWasConnected(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := audited(t, "--server", built(t, "../../fixtures/programs/echo"), "--client", built(t, "./testdata/calls")+" -once {server}:{port}",
		"--port", "5000", "--report", t.TempDir())
	if status != notMeasured || !strings.Contains(stderr, "no fault could be measured: the peer ended the connection before the fault") {
		t.Errorf("exit status %d, expected %d:\n%s", status, notMeasured, stderr)
	}
	if !strings.Contains(stdout, "the peer ends the session: FIN after 0 s") || strings.Count(stdout, `the last that it sent: "request"`) != 1 {
		t.Errorf("the page:\n%s", stdout)
	}
}

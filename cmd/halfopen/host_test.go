package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Root with tracefs measures on the running kernel, one audit at a time; whoever is not is
// told so in one line.
func TestOnTheRunningKernel(t *testing.T) {
	t.Parallel()
	h := here{halfopen: built(t, "."), server: built(t, "../../fixtures/programs/echo"), report: t.TempDir()}
	_, err := os.Stat(filepath.Dir(trace.Instance))
	if os.Geteuid() != 0 || err != nil {
		_, stderr, status := ran(t, h.command("audit"))
		if status != notMeasured || !strings.Contains(stderr, "without --host") {
			t.Errorf("exit status %d, expected %d and a remedy:\n%s", status, notMeasured, stderr)
		}
		return
	}
	t.Run("a fault is told in full", h.tellsAFault)
	t.Run("a hostile program reaches nothing", func(t *testing.T) {
		newHostile(t).reachesNothing(t, []string{"files: read what is hidden"}, "--host", "--watch", "5s")
	})
	t.Run("an audit that is killed leaves nothing", h.isKilled)
	t.Run("an audit that is ended early leaves what it has measured", h.isEndedEarly)
}

type here struct{ halfopen, server, report string }

func (h here) command(arguments ...string) *exec.Cmd {
	return exec.Command(h.halfopen, append(arguments, "--host", "--server", h.server, "--port", "5000", "--report", h.report)...)
}

func (h here) tellsAFault(t *testing.T) {
	stdout, stderr, status := ran(t, h.command("run", "process killed", "--watch", "5s"))
	if status != kept {
		t.Fatalf("exit status %d:\n%s", status, stderr)
	}
	summary, story, _ := strings.Cut(stdout, "\n")
	if !strings.HasPrefix(summary, "process killed, idle: ") || !strings.Contains(summary, "FIN") || !strings.Contains(summary, "closes after 0") {
		t.Errorf("the summary is %q", summary)
	}
	for _, event := range []string{
		"the peer's process is killed: its kernel closes the connection\n",
		"the program's socket goes from ESTABLISHED to CLOSE_WAIT, by a packet or a timer\n",
		"the program's socket goes from CLOSE_WAIT to LAST_ACK, by a task\n",
	} {
		_, rest, found := strings.Cut(story, event)
		if !found {
			t.Fatalf("%q is not where it should be in\n%s", event, stdout)
		}
		story = rest
	}
	h.isGone(t)
}

// The trace buffer is no namespace: it would be there for ever.
func (h here) isKilled(t *testing.T) {
	cmd := h.command("audit")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the server is started", func() bool { return h.runs(t) })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	h.isGone(t)
}

func (h here) isEndedEarly(t *testing.T) {
	cmd := h.command("audit")
	progress, err := os.Create(filepath.Join(t.TempDir(), "progress"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = progress.Close() }()
	cmd.Stderr = progress
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		content, err := os.ReadFile(progress.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	await(t, "the first fault is measured", func() bool { return strings.Contains(told(), "process killed: measured") })
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != notMeasured || !strings.Contains(told(), "has what was measured until then") {
		t.Errorf("exit status %d, expected %d:\n%s", status, notMeasured, told())
	}
	a, err := answer.Read(t.Context(), filepath.Join(h.report, answer.JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]string{}
	for _, f := range a.Faults {
		verdicts[f.Name] = f.Verdict
	}
	if verdicts["process killed"] != answer.Noticing || verdicts["host powered off"] != answer.Unmeasured || a.Settings == nil || !a.Settings.Keepalive {
		t.Errorf("the answer is\n%s", a.Text())
	}
	h.isGone(t)
}

// runs says whether the server under test is there.
func (h here) runs(t *testing.T) bool {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, _ := os.ReadFile(file) // which may have ended
		if strings.HasPrefix(string(content), h.server+"\x00") {
			return true
		}
	}
	return false
}

func (h here) isGone(t *testing.T) {
	t.Helper()
	await(t, "the server and the trace buffer are gone", func() bool {
		_, err := os.Stat(trace.Instance)
		return os.IsNotExist(err) && !h.runs(t)
	})
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it is not so that %s", what)
		}
	}
}

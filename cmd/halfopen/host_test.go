package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/measuring"
)

// Root with tracefs measures on the running kernel; whoever is not is told so in one line.
func TestAFaultOnTheRunningKernel(t *testing.T) {
	t.Parallel()
	binary := built(t, ".")
	directory := filepath.Dir(measuring.Instance)
	_, err := os.Stat(directory)
	able := os.Geteuid() == 0 && err == nil
	stdout, stderr, status := ran(t, exec.Command(binary, "run", "process killed", "--host", "--watch", "5s",
		"--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--report", t.TempDir()))
	if !able {
		if status != notMeasured || !strings.Contains(stderr, "without --host") {
			t.Errorf("exit status %d, expected %d and a remedy:\n%s", status, notMeasured, stderr)
		}
		return
	}
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
	if _, err := os.Stat(measuring.Instance); err == nil {
		t.Errorf("%s is left", measuring.Instance)
	}
}

// The trace buffer is no namespace: the kernel would keep it.
func TestAnAuditThatIsKilledLeavesNoTraceBuffer(t *testing.T) {
	if _, err := os.Stat(filepath.Dir(measuring.Instance)); err != nil || os.Geteuid() != 0 {
		return // no audit gets that far: see the test above
	}
	cmd := exec.Command(built(t, "."), "remove-trace-buffer")
	holders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(measuring.Instance, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = holders.Close() // as the kernel does for a process that is killed
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(measuring.Instance); err == nil {
		t.Errorf("%s is left", measuring.Instance)
	}
}

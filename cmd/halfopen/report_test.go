package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/page"
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
		`{"schema_version":999}`:   fmt.Sprintf("has schema version 999, and this halfopen reads %d: ", answer.Schema),
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

// drawnReport returns the directory of a report with one fault and its ladder.
func drawnReport(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	found := &answer.Answer{
		Program: answer.Program{Side: "server", Command: "nginx", Port: 80}, Kernel: "Linux 6.1",
		Faults: []answer.Fault{{Name: "host powered off", Load: answer.Idle, Verdict: answer.Never, Capture: "captures/01.pcapng"}},
	}
	drawn, err := (&ladder.Ladder{
		Hosts: []ladder.Host{{Name: "client"}, {Name: "server"}},
		Rungs: []ladder.Rung{{Kind: "step", Host: ladder.Everyone, Text: "the client loses power"}},
	}).JSON()
	if err == nil {
		err = os.Mkdir(filepath.Join(directory, "captures"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, answer.LadderOf("captures/01.pcapng")), drawn, 0o644)
	}
	if err == nil {
		err = found.Write(directory)
	}
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestAReportIsDrawn(t *testing.T) {
	directory := drawnReport(t)
	status, stdout, stderr := shell(t, "report", directory, "--html")
	file := filepath.Join(directory, page.File)
	if status != kept || stdout != file+"\n" {
		t.Fatalf("exit status %d, %s; printed %q, expected the file's name", status, stderr, stdout)
	}
	if content, err := os.ReadFile(file); err != nil || !strings.Contains(string(content), "<code>nginx</code>") {
		t.Errorf("the page: %v, %s", err, content)
	}
	if status, _, stderr := shell(t, "report", directory, "--html", "--since", drawnReport(t)); status != kept {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	if content, err := os.ReadFile(file); err != nil || !strings.Contains(string(content), "<h2>What changed since ") {
		t.Errorf("the page beside an earlier one: %v, %s", err, content)
	}
	for _, c := range []struct{ flag, since, want string }{
		{"--json", drawnReport(t), "--since is for a page to look at: add --html"},
		{"--html", t.TempDir(), "there is no answer of an audit in "},
	} {
		if status, _, stderr := shell(t, "report", directory, c.flag, "--since", c.since); status != notMeasured || !strings.Contains(stderr, c.want) {
			t.Errorf("exit status %d, %s, expected %q", status, stderr, c.want)
		}
	}
	if status, stdout, stderr := shell(t, "report", directory, "--svg", "host powered off"); status != kept || !strings.HasPrefix(stdout, "<svg ") || !strings.Contains(stdout, "the client loses power") {
		t.Errorf("exit status %d, %s; printed %s", status, stderr, stdout)
	}
	want := `has no picture of "host powered of"; it has:` + "\n  \"host powered off\"\n"
	if status, stdout, stderr := shell(t, "report", directory, "--svg", "host powered of"); status != notMeasured || stdout != "" || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit status %d, %s; printed %s, expected %q", status, stderr, stdout, want)
	}
}

func TestReportsAreServedToThisMachineOnly(t *testing.T) {
	directory := drawnReport(t)
	if status, _, stderr := shell(t, "report", directory, "--html"); status != kept {
		t.Fatal(stderr)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(directory, "passwd")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, write, directory) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(line)
	if address == "" {
		t.Fatalf("it says %q, expected an address of this machine", line)
	}
	get := func(path, host string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			request.Host = host
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(content)
	}
	if status, content := get("", ""); status != http.StatusOK || !strings.Contains(content, "nginx") {
		t.Errorf("the page: %d, %s", status, content)
	}
	if status, content := get("", "evil.example"); status != http.StatusForbidden || strings.Contains(content, "nginx") {
		t.Errorf("under another name: %d, %s, expected %d", status, content, http.StatusForbidden)
	}
	if status, content := get("passwd", ""); status == http.StatusOK || strings.Contains(content, "root:") {
		t.Errorf("a link out of the directory: %d, %s", status, content)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("interrupted, it ends with %v", err)
	}
}

func TestARunIsDrawnAsALadder(t *testing.T) {
	t.Parallel()
	report := t.TempDir()
	stdout, stderr, status := halfopen(t, "run", "process killed", "--ladder", "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--report", report)
	if status != kept {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	for _, want := range []string{
		`client +firewall +server\n`,
		`\d+\.\d{3}  .──+ SYN ──+.──+▶.\n`,
		`══ the peer's process is killed: its kernel closes its sockets`,
		`─ FIN,ACK ─`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("the ladder has no %q:\n%s", want, stdout)
		}
	}
	if _, err := os.Stat(filepath.Join(report, page.File)); err != nil {
		t.Errorf("the page: %v", err)
	}
}

package page_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

func seconds(s float64) answer.Seconds { return answer.Seconds(s * float64(time.Second)) }

// auditReport returns the answer of an audit, and the directory of its report.
func auditReport(t *testing.T) (*answer.Answer, string) {
	t.Helper()
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "captures"), 0o755); err != nil {
		t.Fatal(err)
	}
	drawn, err := (&ladder.Ladder{
		Hosts: []ladder.Host{{Name: "client"}, {Name: "server"}},
		Rungs: []ladder.Rung{{Kind: "peer", Host: 0, Text: "</div><script>alert(1)</script>"}},
	}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "captures", "01-host-powered-off.json"), drawn, 0o644); err != nil {
		t.Fatal(err)
	}
	return &answer.Answer{
		Program: answer.Program{Side: answer.Client, Command: "mine <b>{server}</b>", Peer: "a fixture", Port: 5000},
		Kernel:  "Linux 6.12", Watched: seconds(9000),
		Settings: &answer.Settings{Keepalive: true, Idle: seconds(60), Interval: seconds(10), Count: 3},
		Wire:     answer.Wire{Silence: answer.Silence{Lasted: seconds(60)}},
		Faults: []answer.Fault{
			{Name: "host powered off", Load: answer.Idle, Verdict: answer.Noticing, Kernel: &answer.Event{What: "ETIMEDOUT", After: seconds(90)}, Noticed: &answer.Event{What: "ETIMEDOUT", After: seconds(90)}, Capture: "captures/01-host-powered-off.pcapng"},
			{Name: "process stopped", Load: answer.Idle, Verdict: answer.Never},
			{Name: "outage of 45 s", Load: answer.Idle, Verdict: answer.Alive, Recovery: &answer.Recovery{FaultEnded: seconds(45), Outcome: answer.Continues}},
		},
		Presets: []answer.Preset{{Name: "azure-lb", Timeout: seconds(240), Outcome: answer.Survives, How: answer.Derived, Why: "never more than 60 s without a packet"}},
		Advice:  &answer.Advice{Idle: seconds(30), Interval: seconds(10), Count: 3, UserTimeout: seconds(60), Why: "it takes too long"},
	}, directory
}

func render(t *testing.T, a *answer.Answer, directory string) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Audit(&b, a, directory, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnAuditsPageSaysWhatTheAnswerSays(t *testing.T) {
	a, directory := auditReport(t)
	text := render(t, a, directory)
	for _, want := range []string{
		"It does not notice 1 of 2 faults that end its connection: process stopped. Of the others the slowest is host powered off, after 90 s.",
		"mine &lt;b&gt;{server}&lt;/b&gt;", // what a program is called is no markup
		"TCP_KEEPIDLE 60 s", "azure-lb", "setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE", "net.Dialer{KeepAliveConfig",
		`href="#ladder-0"`,
		"its connection goes on", `title="works again after 45 s"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(text, "alert(1)") {
		t.Error("what a program wrote stands in the page as it is")
	}
}

func TestAPageNeedsNothingElse(t *testing.T) {
	a, directory := auditReport(t)
	text := render(t, a, directory)
	for _, other := range regexp.MustCompile(`(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import[^;]*|https?://[^"' ]*`).FindAllStringSubmatch(text, -1) {
		if target := other[1]; !strings.HasPrefix(target, "#") && target != "data:," {
			t.Errorf("the page refers to %q", other[0])
		}
	}
	if again := render(t, a, directory); again != text {
		t.Error("the same answer gives two different pages")
	}
}

func TestATrialWithoutALadderHasNoLink(t *testing.T) {
	a, _ := auditReport(t)
	if text := render(t, a, t.TempDir()); strings.Contains(text, `href="#ladder-0"`) {
		t.Error("the page links to a ladder that it does not have")
	}
}

func TestADamagedLadderIsNamed(t *testing.T) {
	a, directory := auditReport(t)
	file := filepath.Join(directory, "captures", "01-host-powered-off.json")
	if err := os.WriteFile(file, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := page.Audit(&bytes.Buffer{}, a, directory, nil)
	if err == nil || !strings.HasPrefix(err.Error(), file+": reading a ladder: ") {
		t.Errorf("a damaged ladder: %v, expected the name of the file", err)
	}
}

func TestBothFamiliesStandBesideEachOther(t *testing.T) {
	a, directory := auditReport(t)
	over, overIPv6 := auditReport(t)
	over.Faults[1].Verdict, over.Faults[1].Noticed = answer.Noticing, &answer.Event{What: "ECONNRESET", After: seconds(5)}
	over.Faults[1].Capture = "captures/02-over-ipv6.pcapng"
	content, err := os.ReadFile(filepath.Join(overIPv6, "captures", "01-host-powered-off.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, "captures", "02-over-ipv6.json"), content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.OverIPv6 = over
	text := render(t, a, directory)
	for _, want := range []string{
		`<th scope="row">process stopped</th><td data-column="was">never</td><td data-column="is"><a href="#ladder-2">ECONNRESET after 5 s</a></td>`,
		`<summary>All that was measured over IPv6</summary>`,
		`id="ladder-2"><summary>over IPv6: process stopped: ECONNRESET after 5 s</summary>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	a.OverIPv6 = &answer.Answer{Trouble: "it listens on IPv4 only"}
	if text := render(t, a, directory); !strings.Contains(text, "IPv6 was not measured: it listens on IPv4 only") {
		t.Error("the page does not say that IPv6 was not measured")
	}
}

func TestAnAuditBesideAnEarlierOne(t *testing.T) {
	a, directory := auditReport(t)
	earlier, _ := auditReport(t)
	earlier.Faults[0].Noticed, earlier.Faults[0].Kernel = nil, nil
	earlier.Faults[0].Verdict = answer.Never
	var b bytes.Buffer
	if err := page.Audit(&b, a, directory, &page.Earlier{Name: "yesterday", Answer: earlier}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"What changed since yesterday",
		`<th scope="row">host powered off</th><td data-column="was">never</td><td data-column="is"><a href="#ladder-0">ETIMEDOUT after 90 s</a></td>`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	earlier.Watched = seconds(60)
	if err := page.Audit(&b, a, directory, &page.Earlier{Name: "yesterday", Answer: earlier}); err == nil {
		t.Error("audits that were watched for different times are compared")
	}
}

// SCTP has no middleboxes on the page, and a fixture's words and programs beside belong on it.
func TestAnAuditsPageHasWhatTheTextHas(t *testing.T) {
	a, directory := auditReport(t)
	a.Program.SCTP, a.Program.Beside = true, []string{"backend: python3 backend.py, on the server's host"}
	a.Conversation = &answer.Conversation{Name: "redis", Trouble: "expected +PONG"}
	text := render(t, a, directory)
	for _, want := range []string{"port 5000 of SCTP", "python3 backend.py", "<dd>redis</dd>", "expected &#43;PONG"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(text, "behind middleboxes") {
		t.Error("the page has middleboxes over SCTP")
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// recoveries returns the recoveries of an answer by the titles of the rows.
func recoveries(t *testing.T, stdout string) map[string]*answer.Recovery {
	t.Helper()
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("%v:\n%s", err, stdout)
	}
	found := map[string]*answer.Recovery{}
	for _, f := range a.Faults {
		if f.Recovery != nil {
			found[f.Title()] = f.Recovery
		}
	}
	return found
}

// written writes a file of an audit and returns its name.
func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "halfopen.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// A client that notices by keepalive 5/5/2, and then connects each 5 s, and gives each attempt 5 s.
func TestAClientIsWatchedUntilItWorksAgain(t *testing.T) {
	t.Parallel()
	file := written(t, "client: "+built(t, "./testdata/reconnects")+" {server}:{port}\nport: 5000\nwatch: 30m\nfaults: [outage of 45 s, the peer resets after 120 s]\n"+
		"expect:\n  recovers: {host rebooted: 71s, process restarted: 5s, outage of 45 s: 56s, the peer resets after 120 s: 6s}\n")
	stdout, stderr, status := audited(t, "-f", file, "--json", "--report", t.TempDir())
	const wrong = "broken: process restarted, away for 10 s: to work again within 5 s; what happened: gives its connection up after 0 s; 2 attempts to connect, 5 s apart, refused 1; works again after 10 s"
	if status != broken || !strings.Contains(stderr, wrong) || strings.Contains(stderr, "broken: host") || strings.Contains(stderr, "broken: outage") {
		t.Errorf("exit status %d, expected %d and %q alone:\n%s", status, broken, wrong, stderr)
	}
	keepalive := oracle.Keepalive{Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 2}
	found := recoveries(t, stdout)
	for title, ended := range map[string]time.Duration{"host rebooted, off for 60 s": time.Minute, "outage of 45 s": 45 * time.Second, "process restarted, away for 10 s": 10 * time.Second, "the peer resets after 120 s": 0} {
		r := found[title]
		if r == nil {
			t.Errorf("%s has no recovery", title)
			continue
		}
		// The last attempt began up to 10 s before the end, and sends its SYN again each second at
		// first; or the next one begins up to 5 s after it.
		if r.Outcome != answer.Reconnects || r.Works.Duration() < ended || r.Works.Duration() > ended+10*time.Second {
			t.Errorf("%s: %s, expected to work again within 10 s of %v", title, r.Words(), ended)
		}
		if r.GaveUp == nil || r.GaveUp.Duration() > keepalive.Death().Latest {
			t.Errorf("%s: %s, expected to give up within %v", title, r.Words(), keepalive.Death().Latest)
		}
		if s := r.Settings; s == nil || !s.Keepalive || s.Idle.Duration() != keepalive.Idle || r.Differ {
			t.Errorf("%s: the new connection has %+v, expected %v", title, s, keepalive)
		}
		for i, a := range r.Attempts[:len(r.Attempts)-1] {
			apart := r.Attempts[i+1].After.Duration() - a.After.Duration()
			want := 10 * time.Second
			if a.Outcome == answer.Refused {
				want = 5 * time.Second
			} else if a.Outcome != answer.Abandoned {
				t.Errorf("%s: an attempt is %+v", title, a)
			}
			if (apart - want).Abs() > oracle.Tolerance(want) {
				t.Errorf("%s: two attempts are %v apart, expected %v", title, apart, want)
			}
		}
	}
}

func TestAClientThatForgetsItsSettingsIsShown(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs("testdata/forgets/forgets_settings.py")
	if err != nil {
		t.Fatal(err)
	}
	file := written(t, "client: /usr/bin/python3 "+program+" {server} {port}\nport: 5000\necho: true\nwatch: 5m\n")
	stdout, stderr, status := audited(t, "-f", file, "--json", "--report", t.TempDir())
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, stderr)
	}
	found := recoveries(t, stdout)
	for _, title := range []string{"process restarted, away for 10 s", "host rebooted, off for 60 s"} {
		r := found[title]
		if r == nil || r.Outcome != answer.Reconnects || !r.Differ || r.Settings.Keepalive || r.Settings.UserTimeout != 0 {
			t.Errorf("%s: %+v, expected a new connection without keepalive and user timeout", title, r)
			continue
		}
		if !strings.HasSuffix(r.Words(), "the new connection has other settings: SO_KEEPALIVE off, TCP_USER_TIMEOUT not set") {
			t.Errorf("%s: %s", title, r.Words())
		}
		if *r.Works < r.FaultEnded || r.Works.Duration() > r.FaultEnded.Duration()+7*time.Second {
			t.Errorf("%s: %s, expected to work again within 7 s of %v", title, r.Words(), r.FaultEnded)
		}
	}
	if r := found["host rebooted, off for 60 s"]; r != nil && (r.Unanswered != 1 || r.Repeated != 0) {
		t.Errorf("a message without an answer, which the host without power did not receive: %s", r.Words())
	}
}

func TestAServerServesANewClient(t *testing.T) {
	t.Parallel()
	file := written(t, "server: "+built(t, "../../fixtures/programs/echo")+"\nport: 5000\nwatch: 10m\nfaults: [\"outage of 45 s, busy\"]\n"+
		"conversation: {request: [{send: \"ping\\n\"}, {expect: ping}], every: 10s}\nexpect:\n  recovers: {host rebooted: 61s}\n")
	stdout, stderr, status := audited(t, "-f", file, "--json", "--report", t.TempDir())
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, stderr)
	}
	found := recoveries(t, stdout)
	for _, title := range []string{"process restarted, away for 10 s", "host rebooted, off for 60 s"} {
		if r := found[title]; r == nil || r.Outcome != answer.Served || *r.Works < r.FaultEnded || r.Works.Duration() > r.FaultEnded.Duration()+time.Second {
			t.Errorf("%s: %+v, expected to serve a new client at once", title, r)
		}
	}
	// The answer that was under way is sent again, each time after twice the time (RFC 6298 §5.5).
	if r := found["outage of 45 s, busy"]; r == nil || r.Outcome != answer.Continues || r.Works == nil || *r.Works < r.FaultEnded || r.Works.Duration() > 2*r.FaultEnded.Duration() {
		t.Errorf("after an outage: %+v, expected the connection to go on", r)
	}
}

func TestAClientThatDoesNotComeBack(t *testing.T) {
	t.Parallel()
	const gone = `import socket, sys, time; c = socket.create_connection((sys.argv[1], int(sys.argv[2]))); c.recv(1); c.close(); time.sleep(100000)`
	for name, c := range map[string]struct{ client, fault, want string }{
		"it ends":          {built(t, "./testdata/once") + " {server}:{port}", "process restarted, away for 10 s", "gives its connection up after 0 s; ends, and does not work again"},
		"it gives up":      {`/usr/bin/python3 -c "` + gone + `" {server} {port}`, "process restarted, away for 10 s", "gives its connection up after 0 s; does not work again within 20 min"},
		"it knows nothing": {`/usr/bin/python3 -c "` + gone + `" {server} {port}`, "host rebooted, off for 60 s", "keeps the dead connection, and makes no other within 21 min"},
	} {
		stdout, stderr, status := halfopen(t, "run", c.fault, "--client", c.client, "--port", "5000", "--watch", "20m", "--json", "--report", t.TempDir())
		if status != 0 {
			t.Fatalf("%s: exit status %d:\n%s", name, status, stderr)
		}
		if r := recoveries(t, stdout)[c.fault]; r == nil || r.Words() != c.want {
			t.Errorf("%s: %+v, expected %q", name, r, c.want)
		}
	}
}

// Two audits with one seed write the same bytes: also of a client that waits, and connects again.
func TestTwoAuditsOfAClientThatReconnectsAreTheSameBytes(t *testing.T) {
	t.Parallel()
	program := built(t, "./testdata/reconnects")
	reported := func() map[string]string {
		report := t.TempDir()
		if _, stderr, status := audited(t, "--client", program+" {server}:{port}", "--port", "5000", "--watch", "20m", "--report", report); status != 0 {
			t.Fatalf("exit status %d:\n%s", status, stderr)
		}
		files := map[string]string{}
		for _, pattern := range []string{answer.JSONFile, "captures/*"} {
			names, err := filepath.Glob(filepath.Join(report, pattern))
			if err != nil || len(names) == 0 {
				t.Fatalf("there is no %s in the report: %v", pattern, err)
			}
			for _, name := range names {
				content, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				files[filepath.Base(name)] = string(content)
			}
		}
		return files
	}
	first, second := reported(), reported()
	if len(first) != len(second) {
		t.Errorf("the reports have %d and %d files", len(first), len(second))
	}
	for name, content := range first {
		if second[name] != content {
			t.Errorf("%s differs", name)
		}
	}
}

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Each connection of a pool has its settings and its outcome; the program spins once its peer has
// closed, which does not keep the audit.
func TestEachConnectionOfAPoolIsMeasured(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs("testdata/pool/pool_of_two.py")
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := halfopen(t, "run", "process killed", "host powered off", "idle timeout of 350 s, RST both ways", "idle timeout of 350 s, silent", "--client", "/usr/bin/python3 "+program+" {server} {port}", "--port", "5000", "--watch", "12m", "--json", "--report", t.TempDir())
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	keepalive := oracle.Keepalive{Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}
	if len(a.Connections) != 2 || a.Connections[0].Settings == nil || a.Connections[1].Settings == nil {
		t.Fatalf("the connections are %+v, expected two with their settings", a.Connections)
	}
	if s := a.Connections[0].Settings; s.Keepalive {
		t.Errorf("the first connection has keepalive: %+v", s)
	}
	if s := a.Connections[1].Settings; !s.Keepalive || s.Idle.Duration() != keepalive.Idle || s.Interval.Duration() != keepalive.Interval || s.Count != keepalive.Count {
		t.Errorf("the second connection has %+v, expected %v", s, keepalive)
	}
	want := map[string]string{
		"process killed":                       "its kernel: FIN after 0 s; the program spins",
		"idle timeout of 350 s, RST both ways": "connection 1: RST; ECONNRESET after 350 s; ends (exit status 1) after 350 s",
		"idle timeout of 350 s, silent":        "connection 1: nothing within 12 min; connection 2: alive",
	}
	for _, f := range a.Faults {
		if words, ok := want[f.Name]; ok && f.Words() != words {
			t.Errorf("%s: %s, expected %s", f.Name, f.Words(), words)
		}
		delete(want, f.Name)
		if f.Name != "host powered off" {
			continue
		}
		if len(f.Connections) != 2 || f.Connections[0].Noticed != nil || f.Connections[1].Kernel == nil || !keepalive.Death().Contains(f.Connections[1].Kernel.After.Duration()) {
			t.Errorf("a host that loses power: %s, expected the second connection's ETIMEDOUT %v", f.Words(), keepalive.Death())
		}
		if !strings.HasPrefix(f.Words(), "connection 2: ETIMEDOUT after ") || !strings.Contains(f.Words(), "ends (exit status 1)") {
			t.Errorf("a host that loses power: %s", f.Words())
		}
	}
	if len(want) > 0 {
		t.Errorf("these faults are not in the answer: %v", want)
	}
}

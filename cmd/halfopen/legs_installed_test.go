//go:build installed

package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Each leg of Debian's proxies has the keepalive that its documentation says, and what dies on one
// leg is told, or not, to the program behind the other (docs/chains.md).
func TestEachLegOfDebiansProxies(t *testing.T) {
	set := oracle.Keepalive{Idle: time.Minute, Interval: 10 * time.Second, Count: 3}
	const off = "host powered off"
	for file, c := range map[string]struct {
		keepalive oracle.Keepalive
		passedOn  string // how the program behind the other leg ends; empty: it does not
	}{
		"haproxy-towards-client": {set, "exit status 1"},
		"haproxy-towards-server": {set, "exit status 0"},
		"nginx-towards-client":   {set, "exit status 0"},
		"nginx-towards-server":   {oracle.Default(), "exit status 0"}, // the host's values
	} {
		stdout, stderr, status := halfopen(t, "run", off, "process killed", "-f", "../../docs/examples/chain/"+file+".yaml", "--json", "--report", t.TempDir())
		var a answer.Answer
		if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept {
			t.Errorf("%s: exit status %d, %v:\n%s", file, status, err, stderr)
			continue
		}
		if s := a.Settings; s == nil || !s.Keepalive || s.Idle.Duration() != c.keepalive.Idle || s.Interval.Duration() != c.keepalive.Interval || s.Count != c.keepalive.Count {
			t.Errorf("%s: %+v, expected %v", file, s, c.keepalive)
		}
		for _, f := range a.Faults {
			if f.Noticed == nil || f.Title() == off && !c.keepalive.Death().Contains(f.Noticed.After.Duration()) {
				t.Errorf("%s: %s: %s, expected %v", file, f.Title(), f.Words(), c.keepalive.Death())
			}
			told := ""
			if len(f.Beside) > 0 {
				told = f.Beside[0].How
			}
			if f.Title() == off && told != c.passedOn {
				t.Errorf("%s: %s: %s, expected the program behind to end with %q", file, f.Title(), f.Words(), c.passedOn)
			}
		}
	}
}

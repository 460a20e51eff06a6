//go:build installed

package main

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// A pool behind a firewall that forgets (row R5): each dead connection costs a request the whole
// time of retransmission, or nothing but the request; validation before use costs what it waits, and
// keepalive nothing. Requests come 600 s apart, and the firewall forgets 350 s after one.
func TestAPoolBehindAFirewallThatForgets(t *testing.T) {
	t.Parallel()
	const silent, resets = "idle timeout of 350 s, silent", "idle timeout of 350 s, RST to the sender"
	next := 250 * time.Second // from when the flow was forgotten to the next request
	givenUp := oracle.GiveUp(oracle.Retries2, 200*time.Millisecond)
	later := func(w oracle.Window) oracle.Window {
		return oracle.Window{Earliest: next + w.Earliest - time.Second, Latest: next + w.Latest + time.Second}
	}
	for how, want := range map[string]map[string]oracle.Window{
		"":          {silent: later(givenUp), resets: later(oracle.Window{})},
		"validates": {silent: later(oracle.Around(5 * time.Second)), resets: later(oracle.Window{})},
		"keepalive": {silent: {}, resets: {}},
	} {
		stdout, stderr, status := halfopen(t, "run", silent, resets, "--client", "/usr/bin/python3 testdata/behind/pool.py {server} {port} "+how, "--port", "5000", "--echo", "--watch", "2h", "--json", "--report", t.TempDir())
		if status != 0 {
			t.Fatalf("%s: exit status %d:\n%s", how, status, stderr)
		}
		found := recoveries(t, stdout)
		for title, works := range want {
			r := found[title]
			if works == (oracle.Window{}) {
				if r != nil {
					t.Errorf("%s: %s: %s, expected that nothing happens", how, title, r.Words())
				}
				continue
			}
			if r == nil || r.Outcome != answer.Reconnects || !works.Contains(r.Works.Duration()) || r.Unanswered != 2 {
				t.Errorf("%s: %s: %+v, expected to work again %v, with a message without an answer on each connection", how, title, r, works)
			}
		}
	}
}

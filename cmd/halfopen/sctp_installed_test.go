//go:build installed

package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Two freeDiameter daemons as Debian has them: the association ends by the settings that the daemon
// makes on its socket, and the client connects again by its timer Tc (RFC 6733 §2.1: 30 s).
func TestFreeDiameterOverSCTP(t *testing.T) {
	const off, restarted = "host powered off", "process restarted, away for 10 s"
	stdout, stderr, status := halfopen(t, "run", off, restarted, "-f", "../../scripts/installed/freediameter.yaml", "--json", "--report", t.TempDir())
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept || a.Association == nil {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	s := a.Association
	set := oracle.SCTP{Heartbeat: s.Heartbeat.Duration(), PathRetransmissions: s.PathRetransmissions, AssociationRetransmissions: s.AssociationRetransmissions,
		RTOInitial: s.RTOInitial.Duration(), RTOMin: s.RTOMin.Duration(), RTOMax: s.RTOMax.Duration()}
	// libfdcore/sctp.c, fd_setsockopt_prebind: what it sets unless the kernel has less.
	if set.Heartbeat != 6*time.Second || set.AssociationRetransmissions != 4 || set.RTOMax != 5*time.Second {
		t.Errorf("the settings are %v", set)
	}
	for _, f := range a.Faults {
		if f.Title() == off && (f.Noticed == nil || !set.AssociationFailure(s.RTO.Duration()).Contains(f.Noticed.After.Duration())) {
			t.Errorf("%s: %s, expected %v", f.Title(), f.Words(), set.AssociationFailure(s.RTO.Duration()))
		}
	}
	const tc = 30 * time.Second
	r := recoveries(t, stdout)[restarted]
	if r == nil || r.Outcome != answer.Reconnects || r.Connected.Duration() < tc || r.Connected.Duration() > tc+5*time.Second {
		t.Errorf("%s: %+v, expected a new association after %v", restarted, r, tc)
	}
}

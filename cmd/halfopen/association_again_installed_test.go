//go:build installed

package main

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// renewing is a client in Python that says something each 10 s, and makes a new association each 5 s
// once one is over; only the first has settings of its own, unless it is told to keep them.
const renewing = `
import socket, struct, sys, time
def fast(s):
    s.setsockopt(132, 1, struct.pack('iHHIII', 0, 3, 0, 0, 0, 0))
    s.setsockopt(132, 9, struct.pack('<i128sIHIIIH', 0, b'', 5000, 3, 0, 0, 1, 0) + bytes(4))
first = True
while True:
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    try:
        if first or 'keeps' in sys.argv: fast(s)
        first = False
        s.connect((sys.argv[1], int(sys.argv[2])))
        while True:
            s.send(b'hello')
            if not s.recv(100): break
            time.sleep(10)
    except OSError: pass
    s.close()
    time.sleep(5)
`

// initAnswered returns how long an attempt takes whose INITs nobody answers before an instant: they
// are sent 3, 6, 12 s and so on apart (RTO.Initial, doubled).
func initAnswered(begun, ended time.Duration) oracle.Window {
	took := time.Duration(0)
	for wait := 3 * time.Second; begun+took < ended; wait = min(2*wait, time.Minute) {
		took += wait
	}
	if took == 0 {
		return atOnce
	}
	return oracle.Around(took)
}

// A client that makes a new association is watched until it works again, and its new settings are
// beside the first ones: against a fixture, and against a program.
func TestAClientOfSCTPThatConnectsAgain(t *testing.T) {
	t.Parallel()
	ends := map[string]time.Duration{"process restarted, away for 40 s": 40 * time.Second, "host rebooted, off for 60 s": time.Minute, "the peer resets after 120 s": 0, "outage of 120 s": 2 * time.Minute}
	arguments := []string{"run", "--protocol", "sctp", "--port", "3868", "--under-test", "client", "--watch", "20m", "--json", "outage of 4 s"}
	for title := range ends {
		arguments = append(arguments, title)
	}
	for name, c := range map[string]struct {
		peer   []string
		how    string
		differ bool
	}{
		"a fixture, the settings are lost": {[]string{"--echo"}, "", true},
		"a program, the settings are kept": {[]string{"--server", program(t, associated)}, "keeps", false},
	} {
		stdout, stderr, status := halfopen(t, append(append(arguments, c.peer...), "--client", program(t, renewing)+" {server} {port} "+c.how, "--report", t.TempDir())...)
		if status != kept {
			t.Fatalf("%s: exit status %d:\n%s", name, status, stderr)
		}
		found := recoveries(t, stdout)
		for title, ended := range ends {
			r := found[title]
			if r == nil || r.Outcome != answer.Reconnects || r.Works.Duration() < ended {
				t.Errorf("%s: %s: %+v, expected to work again after %v", name, title, r, ended)
				continue
			}
			last := r.Attempts[len(r.Attempts)-1].After.Duration()
			if took := initAnswered(last, ended); !took.Contains(r.Works.Duration() - last) {
				t.Errorf("%s: %s: %s; expected the attempt that began after %v to take %v", name, title, r.Words(), last, took)
			}
			if r.Differ != c.differ || r.Association == nil || (r.Association.AssociationRetransmissions == 3) == c.differ {
				t.Errorf("%s: %s: the new association has %+v, and other settings: %t", name, title, r.Association, r.Differ)
			}
			if title == "process restarted, away for 40 s" && (r.AllAttempts < 2 || r.Attempts[0].Outcome != answer.Refused) {
				t.Errorf("%s: %s: %s, expected attempts that are refused", name, title, r.Words())
			}
		}
		if r := found["outage of 4 s"]; r == nil || r.Outcome != answer.Continues || r.Works == nil || *r.Works < r.FaultEnded {
			t.Errorf("%s: after a short outage: %+v, expected the association to go on", name, r)
		}
	}
}

package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// associated is a server and a client of SCTP in Python, as socket(7) has them: the one-to-one
// style. It sets no option, or those of its third argument.
const associated = `
import socket, struct, sys, threading
SCTP_RTOINFO, SCTP_ASSOCINFO, SCTP_PEER_ADDR_PARAMS = 0, 1, 9
def fast(s):
    s.setsockopt(132, SCTP_RTOINFO, struct.pack('iIII', 0, 500, 1000, 200))
    s.setsockopt(132, SCTP_ASSOCINFO, struct.pack('iHHIII', 0, 3, 0, 0, 0, 0))
    s.setsockopt(132, SCTP_PEER_ADDR_PARAMS, struct.pack('<i128sIHIIIH', 0, b'', 1000, 3, 0, 0, 1, 0) + bytes(4))
def serve(c):
    while data := c.recv(4096): c.send(data)
    c.close()
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
if 'fast' in sys.argv: fast(s)
if 'client' in sys.argv:
    s.connect((sys.argv[2], int(sys.argv[3])))
    serve(s)
else:
    s.bind(('', 3868)); s.listen(5)
    while True:
        c, _ = s.accept()
        threading.Thread(target=serve, args=(c,)).start()
`

// By the kernel's defaults a silent peer is given up after ten minutes or so (oracle.DefaultSCTP).
func TestAnAssociationWithTheKernelsDefaults(t *testing.T) {
	t.Parallel()
	givenUp, underWay := oracle.DefaultSCTP().AssociationFailure(time.Second), oracle.DefaultSCTP().InFlight(time.Second)
	stdout, stderr, status := halfopen(t, "audit", "--protocol", "sctp", "--server", program(t, associated), "--port", "3868", "--send", "hello", "--json", "--report", t.TempDir())
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept || a.Association == nil {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	s := a.Association
	if s.Heartbeat.Duration() != 30*time.Second || s.PathRetransmissions != 5 || s.AssociationRetransmissions != 10 || s.RTOInitial.Duration() != 3*time.Second || s.RTOMax.Duration() != time.Minute {
		t.Errorf("the settings: %+v, expected the kernel's (ip-sysctl.rst)", s)
	}
	if s.Earliest != answer.Of(givenUp.Earliest) || s.Latest != answer.Of(givenUp.Latest) {
		t.Errorf("it is given up after %v to %v, expected %v", s.Earliest, s.Latest, givenUp)
	}
	// 30 min of HEARTBEATs, 30 s and about an RTO of a second apart.
	if s.Heartbeats < 50 || s.Heartbeats > 60 {
		t.Errorf("it sends %d HEARTBEATs", s.Heartbeats)
	}
	for _, f := range a.Faults {
		switch f.Title() {
		case "process killed", "process restarted, away for 10 s":
			if f.Kernel == nil || f.Kernel.What != "SHUTDOWN" || f.Noticed == nil || f.Noticed.What != "closes" || !atOnce.Contains(f.Noticed.After.Duration()) {
				t.Errorf("%s: %s", f.Title(), f.Words())
			}
		case "the peer resets after 120 s":
			if f.Kernel == nil || f.Kernel.What != "ABORT" || f.Noticed == nil || f.Noticed.What != "ECONNRESET" || !atOnce.Contains(f.Noticed.After.Duration()) {
				t.Errorf("%s: %s", f.Title(), f.Words())
			}
		case "process stopped":
			if f.Verdict != answer.Never || f.Kernel != nil {
				t.Errorf("%s: %s", f.Title(), f.Words())
			}
		case "outage of 45 s":
			if f.Verdict != answer.Alive {
				t.Errorf("%s: %s", f.Title(), f.Words())
			}
		case "host powered off, busy": // T3-rtx expires, and HEARTBEATs fail too
			if f.Noticed == nil || f.Noticed.What != "ETIMEDOUT" || !underWay.Contains(f.Noticed.After.Duration()) {
				t.Errorf("%s: %s, expected %v", f.Title(), f.Words(), underWay)
			}
		case "host rebooted, off for 60 s": // the next HEARTBEAT finds a kernel that does not know the association (RFC 9260 §8.4)
			if f.Kernel == nil || f.Kernel.What != "ABORT" || f.Noticed == nil || f.Noticed.What != "ECONNRESET" {
				t.Errorf("%s: %s", f.Title(), f.Words())
			}
		case "one of two paths dropped", "idle timeout of 210 s, silent": // the other path takes over; HEARTBEATs keep the flow
			if f.Verdict != answer.Alive {
				t.Errorf("%s: %s", f.Title(), f.Words())
			}
		case "host powered off":
			if f.Noticed == nil || f.Noticed.What != "ETIMEDOUT" || !givenUp.Contains(f.Noticed.After.Duration()) {
				t.Errorf("%s: %s, expected %v", f.Title(), f.Words(), givenUp)
			}
		case "host powered off, program frozen":
			if f.Verdict != answer.KernelOnly || f.Kernel.What != "ETIMEDOUT" || !givenUp.Contains(f.Kernel.After.Duration()) {
				t.Errorf("%s: %s, expected %v", f.Title(), f.Words(), givenUp)
			}
		case "HEARTBEATs dropped": // both sides give up, and the faster one aborts
			if f.Noticed == nil || !givenUp.Contains(f.Noticed.After.Duration()) {
				t.Errorf("%s: %s, expected %v", f.Title(), f.Words(), givenUp)
			}
		default:
			t.Errorf("there is a row %q", f.Title())
		}
	}
	for _, title := range []string{"process restarted, away for 10 s", "host rebooted, off for 60 s"} {
		r := recoveries(t, stdout)[title]
		if r == nil || r.Outcome != answer.Served || *r.Works < r.FaultEnded || r.Works.Duration() > r.FaultEnded.Duration()+2*time.Second {
			t.Errorf("%s: %+v, expected to serve a new client at once", title, r)
		}
	}
	if len(a.Faults) != 12 {
		t.Errorf("there are %d rows", len(a.Faults))
	}
}

// A client that sets all four settings gives its peer up after seconds: alive just before, given up
// just after.
func TestAnAssociationWithSettingsOfItsOwn(t *testing.T) {
	t.Parallel()
	fast := oracle.SCTP{Heartbeat: time.Second, PathRetransmissions: 3, AssociationRetransmissions: 3, RTOInitial: 500 * time.Millisecond, RTOMin: 200 * time.Millisecond, RTOMax: time.Second}
	givenUp := fast.AssociationFailure(200 * time.Millisecond)
	runAll(t, map[string]expected{
		"outage of 2 s":               alive, // no more than one HEARTBEAT is missed, and its retransmissions
		"outage of 20 s":              noticed("ETIMEDOUT", "ETIMEDOUT", givenUp),
		"drop in both directions":     noticed("ETIMEDOUT", "ETIMEDOUT", givenUp),
		"the peer resets after 120 s": noticed("ABORT", "ECONNRESET", atOnce),
	}, "--protocol", "sctp", "--watch", "5m", "--client", program(t, associated)+" client {server} {port} fast", "--server", program(t, associated), "--under-test", "client", "--port", "3868")
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// expected is what becomes of a connection that meets a fault.
type expected struct {
	verdict string
	kernel  string // what the kernel learns
	errno   string // what a call of the program returns
	after   oracle.Window
}

// String returns what is expected in words.
func (e expected) String() string {
	if e.verdict != answer.Noticing {
		return e.verdict
	}
	return fmt.Sprintf("%s: its kernel %s, the program %s, %v", e.verdict, e.kernel, e.errno, e.after)
}

var (
	alive = expected{verdict: answer.Alive}
	never = expected{verdict: answer.Never}
)

func noticed(kernel, errno string, after oracle.Window) expected {
	return expected{answer.Noticing, kernel, errno, after}
}

// atOnce is when a program notices what its kernel is told.
var atOnce = oracle.Window{Latest: time.Second}

// runAll runs all faults that are expected, and compares.
func runAll(t *testing.T, want map[string]expected, arguments ...string) {
	t.Helper()
	all := append([]string{"run"}, arguments...)
	for title := range want {
		all = append(all, title)
	}
	stdout, stderr, status := halfopen(t, append(all, "--json", "--report", t.TempDir())...)
	var found answer.Answer
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || status != kept {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	rows := map[string]answer.Fault{}
	for _, f := range found.Faults {
		rows[f.Title()] = f
	}
	for title, w := range want {
		f, measured := rows[title]
		switch {
		case !measured:
			t.Errorf("%s is not measured", title)
		case f.Verdict != w.verdict:
			t.Errorf("%s: %s (%s), expected %v", title, f.Words(), f.Verdict, w)
		case w.verdict != answer.Noticing:
		case f.Kernel == nil || f.Kernel.What != w.kernel || f.Noticed == nil || f.Noticed.What != w.errno:
			t.Errorf("%s: %s, expected %s and %s", title, f.Words(), w.kernel, w.errno)
		case !w.after.Contains(f.Noticed.After.Duration()):
			t.Errorf("%s: %s, expected %v", title, f.Words(), w.after)
		}
	}
}

// The server has Go's keepalive, 15/15/9 (package net, KeepAliveConfig), and has heard its peer for
// the last time 10 s before a fault strikes.
func TestFaultsMeetAServerWithTheirValues(t *testing.T) {
	t.Parallel()
	keepalive := oracle.Keepalive{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}
	probe := oracle.Around(keepalive.Idle)
	dead := noticed("ETIMEDOUT", "ETIMEDOUT", keepalive.Death())
	resetByProbe := noticed("RST", "ECONNRESET", probe)
	runAll(t, map[string]expected{
		// The ninth probe is sent 135 s after the peer was last heard: it is answered, or not.
		"outage of 110 s":                 alive,
		"outage of 145 s":                 dead,
		"outage of 45 s, busy":            alive,
		"drop in both directions":         dead,
		"one-way drop towards the client": dead,
		"one-way drop towards the server": dead,
		// 100 s after the peer was last heard the host is back, and resets the next probe.
		"host rebooted, off for 90 s":             noticed("RST", "ECONNRESET", oracle.Around(7*keepalive.Interval)),
		"the peer resets after 120 s":             noticed("RST", "ECONNRESET", atOnce),
		"forged RST":                              noticed("RST", "ECONNRESET", atOnce),
		"forged RST, number in the window":        alive, // a challenge ACK (RFC 5961 §3.2)
		"forged RST, stale number":                alive,
		"idle timeout of 14 s, RST to the sender": resetByProbe,
		"idle timeout of 18 s, RST to the sender": alive, // the probes are 15 s apart, or 16.9 s
		"idle timeout of 1800 s, silent":          alive,
		"idle timeout of 10 s, loose pick-up":     alive,
		"state flushed, RST to the sender":        resetByProbe,
		"state flushed, silent":                   dead,
		"NAT rebinding":                           resetByProbe, // the NAT has no such port any more
		"cable out at the client's end":           dead,
		"cable out at the server's end":           dead,
		"loss of 10 %":                            alive, // nine probes in a row: once in 10^9
		"delay of 200 ms":                         alive,
		"delay of 200 ms, busy":                   alive,
	}, "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--send", "hello")
}

// echoing is a client in Python, which blocks, sets no option, and sends back what it gets.
const echoing = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
while data := s.recv(65536): s.sendall(data)
`

// The client sends nothing by itself.
func TestFaultsMeetAClientWithTheirValues(t *testing.T) {
	t.Parallel()
	// The guest's Linux 6.12 has tcp_syn_linear_timeouts 4 (ip-sysctl.rst).
	syns := oracle.SYNs(4, oracle.SYNRetries)
	unanswered := noticed("ETIMEDOUT", "ETIMEDOUT", oracle.Around(syns[len(syns)-1]))
	givenUp := oracle.GiveUp(oracle.Retries2, 200*time.Millisecond)
	runAll(t, map[string]expected{
		"accept queue full":                             unanswered,
		"peer away before connecting, silent":           unanswered,
		"peer away before connecting, refused":          noticed("RST", "ECONNREFUSED", atOnce),
		"peer away before connecting, host unreachable": noticed("ICMP error", "EHOSTUNREACH", oracle.Around(3*time.Second)), // arp(7), mcast_solicit, retrans_time_ms
		"idle timeout of 1800 s, RST both ways":         noticed("RST", "ECONNRESET", oracle.Around(1800*time.Second)),
		"idle timeout of 1800 s, RST to the sender":     never,
		"one-way drop towards the client":               never,
		"NAT rebinding":                                 never,
		"the peer resets after 120 s":                   noticed("RST", "ECONNRESET", atOnce),
		"forged RST":                                    noticed("RST", "ECONNRESET", atOnce),
		"path-MTU black hole":                           alive, // nothing is too large
		"path-MTU black hole, busy":                     noticed("ETIMEDOUT", "ETIMEDOUT", givenUp),
		"outage of 45 s, busy":                          alive,
		"outage of 7200 s, busy":                        noticed("ETIMEDOUT", "ETIMEDOUT", givenUp),
		"ICMP host unreachable, busy":                   noticed("EHOSTUNREACH", "EHOSTUNREACH", oracle.GiveUpUnreachable(oracle.Retries2, 200*time.Millisecond)),
		"loss of 10 %, busy":                            alive,
		"one-way drop towards the server, busy":         noticed("ETIMEDOUT", "ETIMEDOUT", givenUp),
	}, "--client", program(t, echoing)+" {server} {port}", "--port", "5000", "--send", strings.Repeat("x", 3000))
}

// A server that is a program has the queue of its backlog, or of its kernel's limit.
func TestTheAcceptQueueOfAProgramIsFull(t *testing.T) {
	t.Parallel()
	syns := oracle.SYNs(4, oracle.SYNRetries)
	runAll(t, map[string]expected{
		"accept queue full":           noticed("ETIMEDOUT", "ETIMEDOUT", oracle.Around(syns[len(syns)-1])),
		"the peer resets after 120 s": noticed("RST", "ECONNRESET", atOnce),
	}, "--client", program(t, echoing)+" {server} {port}", "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--under-test", "client")
}

// A file adds faults and presets with values, and promises of them, in any way in which the value
// can be written.
func TestValuesInAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "halfopen.yaml")
	text := "client: " + program(t, echoing) + " {server} {port}\nport: 5000\nfaults: [outage of 45 s]\n" +
		"expect:\n  notices: {'idle timeout of 30min, RST both ways': 31m, the peer resets after 2 min: 1s, 'peer away before connecting, silent': 2m}\n" +
		"  survives: [azure-lb=30min, azure-lb-tcpreset=240, ipvs=3h]\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := halfopen(t, "audit", "-f", file, "--report", t.TempDir())
	for _, want := range []string{
		"broken: peer away before connecting, silent: to be noticed within 2m0s; what happened: ETIMEDOUT after 13",
		"broken: azure-lb=30min: an idle session is to survive; it dies: its flow was forgotten, and nobody has noticed (run)",
		"broken: azure-lb-tcpreset=240: an idle session is to survive; it dies: its flow was forgotten: RST; ECONNRESET after 240 s",
		"broken: ipvs=3h: an idle session is to survive; it dies: ",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("expected %q:\n%s", want, stderr)
		}
	}
	for _, want := range []string{"outage of 45 s  ", "idle timeout of 1800 s, RST both ways  ", "the peer resets after 120 s  ", "azure-lb=1800 (run)"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("expected %q:\n%s", want, stdout)
		}
	}
	if status != broken || strings.Count(stderr, "broken: ") != 4 || strings.Contains(stderr, "not measured: ") {
		t.Errorf("exit status %d, expected %d and four broken promises:\n%s", status, broken, stderr)
	}
}

// agent is a client that keeps its connection for the next request, which comes 150 s later. It
// does not look at the connection meanwhile.
const agent = `
import http.client, sys, time
c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
c.request('GET', '/'); c.getresponse().read()
time.sleep(150)
c.request('GET', '/'); c.getresponse().read()
`

// A server resets a kept connection that was idle for two minutes: the kernel knows at once, and the
// program when it uses the connection, half a minute later.
func TestAKeptConnectionIsReset(t *testing.T) {
	t.Parallel()
	runAll(t, map[string]expected{
		"the peer resets after 120 s": noticed("RST", "ECONNRESET", oracle.Around(30*time.Second)),
	}, "--client", program(t, agent)+" {server} {port}", "--port", "80", "--conversation", "http", "--watch", "5m")
}

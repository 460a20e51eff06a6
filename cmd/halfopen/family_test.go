package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// careless is a client that takes HOST:PORT, and sets keepalive over IPv4 alone.
const careless = `
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
s = socket.create_connection((host.strip('[]'), int(port)))
if s.family == socket.AF_INET:
    for name, value in (socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3): s.setsockopt(socket.IPPROTO_TCP, name, value)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
while data := s.recv(65536): s.sendall(data)
`

func TestBothFamiliesAreOnOnePage(t *testing.T) {
	t.Parallel()
	report := t.TempDir()
	file := filepath.Join(t.TempDir(), "halfopen.yaml")
	text := "client: " + program(t, careless) + " '{server}:{port}'\nport: 5000\nfamily: both\nsend: hello\nexpect:\n  notices: {host powered off: 1m, 'peer away before connecting, host unreachable': 4s}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := halfopen(t, "audit", "-f", file, "--json", "--report", report)
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != broken || a.OverIPv6 == nil {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	if strings.Count(stderr, "broken: ") != 1 || !strings.Contains(stderr, "broken: over IPv6: host powered off: to be noticed within 1m0s; what happened: never") {
		t.Errorf("expected one broken promise, over IPv6:\n%s", stderr)
	}
	if a.Program.IPv6 || !a.OverIPv6.Program.IPv6 || !a.Settings.Keepalive || a.OverIPv6.Settings.Keepalive || len(a.Faults) != len(a.OverIPv6.Faults) {
		t.Errorf("the answer:\n%s", stdout)
	}
	death := oracle.Keepalive{Idle: 20e9, Interval: 5e9, Count: 3}.Death()
	for _, f := range a.Faults {
		if f.Title() == "host powered off" && (f.Noticed == nil || !death.Contains(f.Noticed.After.Duration())) {
			t.Errorf("over IPv4: %s, expected %v", f.Words(), death)
		}
	}
	page, stderr, status := halfopen(t, "report", report)
	for _, want := range []string{"What is different over IPv6 (from IPv4 to IPv6)", `  host powered off: from "ETIMEDOUT after 3`, "  settings: from keepalive true 20/5/3, user timeout 0 s to keepalive false"} {
		if status != kept || !strings.Contains(page, want) {
			t.Errorf("exit status %d, expected %q:\n%s%s", status, want, page, stderr)
		}
	}
}

// A family that the server does not serve is an error that names it; every fault of one that it
// serves is measured there.
func TestOneFamilyIsMeasured(t *testing.T) {
	t.Parallel()
	server := program(t, listener+"serve(socket.AF_INET, '0.0.0.0')")
	_, stderr, status := halfopen(t, "audit", "--family", "ipv6", "--server", server, "--port", "5000", "--report", t.TempDir())
	if want := "listens on 0.0.0.0:5000 only, where nobody in the lab can connect to it by IPv6"; status != notMeasured || !strings.Contains(stderr, want) {
		t.Errorf("exit status %d, expected %q:\n%s", status, want, stderr)
	}
	alone := program(t, listener+"serve(socket.AF_INET6, '::', 1)")
	_, stderr, status = halfopen(t, "audit", "--family", "ipv4", "--server", alone, "--port", "5000", "--report", t.TempDir())
	if want := "the server listens on IPv6 only (--family ipv6)"; status != notMeasured || !strings.Contains(stderr, want) {
		t.Errorf("exit status %d, expected %q:\n%s", status, want, stderr)
	}
	runAll(t, map[string]expected{
		"the peer resets after 120 s":             noticed("RST", "ECONNRESET", atOnce),
		"NAT rebinding":                           noticed("RST", "ECONNRESET", oracle.Around(15e9)),
		"outage of 45 s, busy":                    alive,
		"idle timeout of 1800 s, silent":          alive,
		"idle timeout of 10 s, RST to the sender": noticed("RST", "ECONNRESET", oracle.Around(15e9)),
	}, "--family", "ipv6", "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--send", "hello")
	runAll(t, map[string]expected{
		"accept queue full":                             noticed("ETIMEDOUT", "ETIMEDOUT", oracle.Around(131e9)),
		"peer away before connecting, refused":          noticed("RST", "ECONNREFUSED", atOnce),
		"peer away before connecting, host unreachable": noticed("ICMP error", "EHOSTUNREACH", oracle.Around(3e9)), // RFC 4861 §10, MAX_MULTICAST_SOLICIT, RETRANS_TIMER
		"path-MTU black hole, busy":                     noticed("ETIMEDOUT", "ETIMEDOUT", oracle.GiveUp(oracle.Retries2, 200e6)),
	}, "--family", "ipv6", "--client", program(t, careless)+" {server}:{port}", "--port", "5000", "--send", strings.Repeat("x", 3000))
}

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// conversing runs two faults on a program that a fixture talks with, and returns the row of the
// one with data under way.
// Each ready-made conversation is understood by the server of its protocol, as Debian installs
// it. The request that is said again when the fault is to meet data under way is answered, too:
// the kernel gives an answer up that nobody acknowledges after some 16 minutes (tcp_retries2),
// unless the server has a limit of its own: mosquitto one and a half times the client's 60 s
// (MQTT 3.1.1, 3.1.2.10), nginx keepalive_timeout, NATS two pings of 120 s, exim 5 minutes
// (smtp_receive_timeout).
// The same conversations, held as the server, serve real clients.
// To MQTT a second CONNECT is an error, for which mosquitto ends the connection: the fixture
// says its login once, and the request where data is to be under way.
// reported runs a fault over TLS and returns what is in the report, by file.
func reported(t *testing.T, halfopen, seed string, arguments ...string) map[string]string {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report")
	arguments = append([]string{"run", "process killed", "--watch", "5m", "--tls", "--conversation", "http", "--port", "443", "--seed", seed, "--report", report}, arguments...)
	if stdout, stderr, status := ran(t, exec.Command(halfopen, arguments...)); status != kept {
		t.Fatalf("%q: exit status %d:\n%s%s", arguments, status, stdout, stderr)
	}
	files := map[string]string{}
	for _, name := range []string{"answer.json", "captures/00-quiet-connection.pcapng", "captures/01-process-killed.pcapng"} {
		content, err := os.ReadFile(filepath.Join(report, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	return files
}

// The certificate of the run is the server's, whose files the configuration names, and what a
// client of the fixture checks. Keys, certificate and handshake come from the seed: two runs
// with one seed have the same packets, byte for byte.
func TestTLSOnEitherSideIsDecidedByTheSeed(t *testing.T) {
	t.Parallel()
	halfopen := built(t, ".")
	server := program(t, `
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
s = http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/etc/halfopen/certificate.pem", "/etc/halfopen/key.pem")
s.socket = tls.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)
s.serve_forever()
`)
	client := program(t, `
import http.client, ssl, sys, time
c = http.client.HTTPSConnection(sys.argv[1], int(sys.argv[2]), context=ssl.create_default_context(cafile=sys.argv[3]))
while True:
    c.request("GET", "/"); c.getresponse().read(); time.sleep(5)
`)
	for _, arguments := range [][]string{
		{"--server", server + " {port}"},
		{"--client", client + " {server} {port} {ca}"},
	} {
		first, again, other := reported(t, halfopen, "1", arguments...), reported(t, halfopen, "1", arguments...), reported(t, halfopen, "2", arguments...)
		for name, content := range first {
			if again[name] != content {
				t.Errorf("%q: %s differs between two runs with one seed", arguments, name)
			}
			if strings.HasSuffix(name, ".pcapng") && other[name] == content {
				t.Errorf("%q: %s is the same with another seed", arguments, name)
			}
		}
		var a answer.Answer
		if err := json.Unmarshal([]byte(first["answer.json"]), &a); err != nil || a.Conversation == nil || !a.Conversation.TLS || a.Conversation.Answered+a.Conversation.Replied == 0 || a.Conversation.Trouble != "" {
			t.Errorf("%q: %+v, %v", arguments, a.Conversation, err)
		}
	}
}

// What the program does not answer as expected is on the page, and keeps the fault that needs
// data under way from being measured.
// A conversation that cannot be held is refused before anything is packed.
func TestABadConversationIsRefusedAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.yaml")
	for _, c := range []struct {
		content   string
		arguments []string
		want      string
	}{
		{"", []string{"--conversation", "redsi"}, `there is no conversation "redsi": the nearest are redis, `},
		{"", []string{"--conversation", "redis", "--send", "x"}, "send and echo are short for a conversation"},
		{"", []string{"--every", "5s"}, "there is no request that the fixture could repeat"},
		{"", []string{"--every", "1ms", "--conversation", "redis"}, "the time between two requests, 1ms, must be at least 100ms"},
		{"", []string{"--server", "cat", "--client", "cat", "--conversation", "redis"}, "a conversation is the fixture's, and both sides are programs"},
		{"", []string{"--client", "cat {ca}"}, "there is no {ca}: the fixture speaks no TLS (--tls"},
		{"", []string{"--server", "cat", "--client", "cat", "--tls"}, "TLS is the fixture's, and both sides are programs"},
		{"server: cat\nport: 1\nconversation:\n  request:\n  - sent: x\n", nil, `line 5: there is no "sent" in a step`},
		{"server: cat\nport: 1\nconversation: redsi\n", nil, `line 3: there is no conversation "redsi": the nearest are redis, `},
		{"server: cat\nport: 1\nsend: 'a\\q'\n", nil, `line 3: "a\\q" has an escape that is none`},
		{"server: cat\nport: 1\nsend: \"\\x82\"\n", nil, `line 3: in double quotes \x82 is the character U+0082`},
		{"server: cat\nport: 1\nconversation:\n  request:\n  - send: {file: nosuch}\n", nil, "line 5: reading the file: "},
	} {
		arguments := append([]string{"audit", "--report", filepath.Join(t.TempDir(), "report")}, c.arguments...)
		if c.content != "" {
			if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			arguments = append(arguments, "-f", file)
		} else if c.arguments[0] != "--server" && c.arguments[0] != "--client" {
			arguments = append(arguments, "--server", "cat", "--port", "1")
		} else {
			arguments = append(arguments, "--port", "1")
		}
		status, out, stderr := shell(t, arguments...)
		if status != notMeasured || out != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q %q: status %d, %q, %q; expected one line with %q", c.content, c.arguments, status, out, stderr, c.want)
		}
	}
}

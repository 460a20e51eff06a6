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
func conversing(t *testing.T, halfopen string, arguments ...string) (answer.Answer, answer.Fault) {
	t.Helper()
	arguments = append([]string{"run", "process killed", "host powered off, busy", "--watch", "20m", "--json", "--report", t.TempDir()}, arguments...)
	stdout, stderr, status := ran(t, exec.Command(halfopen, arguments...))
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept {
		t.Fatalf("%q: exit status %d, %v:\n%s", arguments, status, err, stderr)
	}
	for _, f := range a.Faults {
		if f.Load == answer.Busy {
			return a, f
		}
	}
	t.Fatalf("%q: there is no row with data under way: %+v", arguments, a.Faults)
	return a, answer.Fault{}
}

// Each ready-made conversation is understood by the server of its protocol, as Debian installs
// it. The request that is said again when the fault is to meet data under way is answered, too:
// the kernel gives an answer up that nobody acknowledges after some 16 minutes (tcp_retries2),
// unless the server has a limit of its own: mosquitto one and a half times the client's 60 s
// (MQTT 3.1.1, 3.1.2.10), nginx keepalive_timeout, NATS two pings of 120 s, exim 5 minutes
// (smtp_receive_timeout).
func TestServersUnderstandTheReadyMadeConversations(t *testing.T) {
	t.Parallel()
	halfopen := built(t, ".")
	const postgres = "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf"
	for _, c := range []struct {
		name, port, server, want string
		also                     []string
	}{
		{"redis", "6379", "redis-server --protected-mode no", "ETIMEDOUT after 16 min", []string{"--package", "redis-server"}},
		{"memcached", "11211", "memcached -u memcache -l 0.0.0.0", "ETIMEDOUT after 16 min", []string{"--package", "memcached"}},
		{"mqtt", "1883", "mosquitto -c /etc/mosquitto/mosquitto.conf", "closes after 91 s", []string{"--package", "mosquitto"}},
		{"nats", "4222", "nats-server", "closes after ", []string{"--package", "nats-server"}},
		{"http", "80", "nginx -g 'daemon off;'", "closes after 75 s", []string{"--package", "nginx"}},
		{"smtp", "25", "/usr/sbin/exim4 -bdf", "closes after 300 s", []string{"--package", "exim4-daemon-light"}},
		{"postgresql", "5432", postgres, "ETIMEDOUT after 16 min", []string{"--package", "postgresql-15", "--user", "postgres", "--prepare", "echo host all all all trust > /etc/postgresql/15/main/pg_hba.conf"}},
	} {
		a, busy := conversing(t, halfopen, append(c.also, "--server", c.server, "--port", c.port, "--conversation", c.name)...)
		if talk := a.Conversation; talk == nil || talk.Name != c.name || talk.Answered == 0 || talk.Trouble != "" {
			t.Errorf("%s: %+v", c.name, talk)
		}
		if !strings.HasPrefix(busy.Words(), c.want) {
			t.Errorf("%s: with data under way %s, expected %s", c.name, busy.Words(), c.want)
		}
	}
}

// The same conversations, held as the server, serve real clients.
func TestClientsAreServedByTheReadyMadeConversations(t *testing.T) {
	t.Parallel()
	halfopen := built(t, ".")
	python := func(text string) string { return program(t, "import sys, time\n"+text) + " {server} {port}" }
	for _, c := range []struct {
		name, port, client string
		also               []string
	}{
		{"redis", "6379", "sh -c 'while sleep 5; do echo PING; done | redis-cli -h {server} -p {port}'", []string{"--package", "redis-server"}},
		{"redis", "6379", python("import redis\nr = redis.Redis(sys.argv[1], int(sys.argv[2]))\nwhile r.ping() and r.set('a', 'b') and not r.get('a'): time.sleep(5)\n"), []string{"--package", "python3-redis"}},
		{"memcached", "11211", python("from pymemcache.client.base import Client\nc = Client((sys.argv[1], int(sys.argv[2])))\nwhile c.version() and c.set('k', 'v', noreply=False) and c.get('k') is None and not c.delete('k', noreply=False): time.sleep(5)\n"), []string{"--package", "python3-pymemcache"}},
		{"mqtt", "1883", "mosquitto_sub -h {server} -p {port} -t x -k 60", []string{"--package", "mosquitto-clients"}},
		{"smtp", "25", python("import smtplib\ns = smtplib.SMTP(sys.argv[1], int(sys.argv[2]))\nwhile not s.sendmail('a@x.example', ['b@y.example'], 'Subject: x\\r\\n\\r\\nhello'): time.sleep(5)\n"), nil},
		{"postgresql", "5432", "sh -c 'while sleep 5; do echo \"select 1;\"; done | psql -h {server} -p {port} -U x y'", []string{"--package", "postgresql-client-15"}},
		{"http", "80", "curl -s --rate 12/m http://{server}:{port}/[1-99]", []string{"--package", "curl"}},
		{"echo", "7", python("import socket\ns = socket.create_connection((sys.argv[1], int(sys.argv[2])))\nwhile not s.sendall(b'hello') and s.recv(9) == b'hello': time.sleep(5)\n"), nil},
	} {
		a, busy := conversing(t, halfopen, append(c.also, "--client", c.client, "--port", c.port, "--conversation", c.name)...)
		if talk := a.Conversation; talk == nil || talk.Replied < 2 || talk.Trouble != "" {
			t.Errorf("%s: %s: %+v", c.name, c.client, talk)
		}
		if busy.Verdict != answer.Noticing {
			t.Errorf("%s: %s: with data under way %s", c.name, c.client, busy.Words())
		}
	}
}

// To MQTT a second CONNECT is an error, for which mosquitto ends the connection: the fixture
// says its login once, and the request where data is to be under way.
func TestALoginIsNotSaidAgainWithDataUnderWay(t *testing.T) {
	t.Parallel()
	halfopen, file := built(t, "."), filepath.Join(t.TempDir(), "audit.yaml")
	for content, want := range map[string]string{
		"send: '\\x10\\x10\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x04test'\n": "not measured: the program closed before the fault",
		"conversation:\n  login:\n  - send: '\\x10\\x10\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x04test'\n  - expect: '\\x20\\x02\\x00\\x00'\n" +
			"  request:\n  - send: {file: ping}\n  - expect: '\\xd0\\x00'\n": "closes after 9", // seconds: one and a half times 60, and mosquitto looks each few
	} {
		if err := os.WriteFile(file, []byte("server: mosquitto -c /etc/mosquitto/mosquitto.conf\nport: 1883\npackages: [mosquitto]\n"+content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "ping"), []byte("\xc0\x00"), 0o644); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, status := ran(t, exec.Command(halfopen, "run", "host powered off, busy", "-f", file, "--json", "--report", t.TempDir()))
		var a answer.Answer
		if err := json.Unmarshal([]byte(stdout), &a); err != nil {
			t.Fatalf("exit status %d, %v:\n%s", status, err, stderr)
		}
		if len(a.Faults) != 1 || !strings.HasPrefix(a.Faults[0].Words(), want) {
			t.Errorf("%s: %+v, expected %s", content, a.Faults, want)
		}
	}
}

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
	configuration := filepath.Join(t.TempDir(), "nginx.conf")
	text := "events {}\nhttp { server { listen 443 ssl; ssl_certificate /etc/halfopen/certificate.pem; ssl_certificate_key /etc/halfopen/key.pem; return 200 ok; } }\n"
	if err := os.WriteFile(configuration, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	client := program(t, `
import http.client, ssl, sys, time
c = http.client.HTTPSConnection(sys.argv[1], int(sys.argv[2]), context=ssl.create_default_context(cafile=sys.argv[3]))
while True:
    c.request("GET", "/"); c.getresponse().read(); time.sleep(5)
`)
	for _, arguments := range [][]string{
		{"--package", "nginx", "--server", "nginx -g 'daemon off;' -c " + configuration},
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
func TestAnAnswerThatIsNotAsExpectedIsOnThePage(t *testing.T) {
	t.Parallel()
	report := t.TempDir()
	stdout, stderr, status := audited(t, "--package", "redis-server", "--server", "redis-server --protected-mode no --requirepass secret", "--port", "6379", "--conversation", "redis", "--watch", "1m", "--report", report)
	const trouble = `expected "+PONG\r\n" within 10s, and "-NOAUTH Authentication required.\r\n" came`
	words := strings.Join(strings.Fields(stdout), " ") // long lines are wrapped
	for _, want := range []string{"says redis unanswered " + trouble, "not measured: host powered off, busy the peer sends a request: the program did not answer as expected: " + trouble} {
		if status != kept || !strings.Contains(words, want) {
			t.Errorf("exit status %d, expected %q:\n%s%s", status, want, stdout, stderr)
		}
	}
}

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

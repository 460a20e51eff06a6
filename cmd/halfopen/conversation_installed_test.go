//go:build installed

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

//go:build installed

package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// The faults that clients which reconnect are audited with.
const (
	restarted = "process restarted, away for 10 s"
	rebooted  = "host rebooted, off for 60 s"
)

// backOffs returns the times between the attempts to connect after a fault.
func backOffs(r *answer.Recovery) (all []time.Duration) {
	for i := range r.Attempts[1:] {
		all = append(all, r.Attempts[i+1].After.Duration()-r.Attempts[i].After.Duration())
	}
	return all
}

// doubled returns n times that begin with the first, each so many times the one before, but at most
// the last.
func doubled(first, last time.Duration, times float64, n int) (all []time.Duration) {
	for next := first; len(all) < n; next = min(time.Duration(float64(next)*times), last) {
		all = append(all, next)
	}
	return all
}

// Clients as Debian and their modules have them reconnect as their documentation says (docs/recovery.md
// has the sources).
func TestClientsReconnectAsTheyAreDocumented(t *testing.T) {
	programs := t.TempDir()
	if out, err := exec.Command("go", "build", "-C", "../../fixtures/clients", "-o", programs+"/", "./...").CombinedOutput(); err != nil {
		t.Fatalf("building the clients: %v\n%s", err, out)
	}
	script := func(name string) string {
		file, err := filepath.Abs("../../fixtures/clients/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return file + " {server} {port}"
	}
	pair := func(program, what string) []string {
		return []string{"--server", filepath.Join(programs, program) + " serve :5000", "--client", filepath.Join(programs, program) + " " + what + " {server}:{port}", "--under-test", "client", "--port", "5000"}
	}
	linear := []time.Duration{} // node-redis: as many times 50 ms as there were attempts, at most 500 ms
	for i := range 20 {
		linear = append(linear, min(time.Duration(i)*50*time.Millisecond, 500*time.Millisecond))
	}
	const hour = time.Hour
	for name, c := range map[string]struct {
		arguments []string
		backOff   []time.Duration // while the process is away; nil: its own loop decides
		jitter    float64         // a part of each
		most      time.Duration   // until it gives up the connection to a host that is rebooted
		least     time.Duration
	}{
		"redis-py": {[]string{"--package", "python3-redis", "--client", "/usr/bin/python3 " + script("redis_python.py"), "--port", "6379", "--conversation", "redis"},
			nil, 0, hour, time.Minute},
		"node-redis": {[]string{"--package", "node-redis", "--package", "nodejs", "--env", "NODE_PATH=/usr/share/nodejs", "--client", "node " + script("redis_node.js"), "--port", "6379", "--conversation", "redis"},
			linear, 0, hour, time.Minute},
		"mosquitto_sub": {[]string{"--package", "mosquitto-clients", "--client", "mosquitto_sub -h {server} -p {port} -t topic", "--port", "1883", "--conversation", "mqtt"},
			doubled(time.Second, time.Second, 1, 5), 0, hour, time.Minute},
		"paho-mqtt": {[]string{"--package", "python3-paho-mqtt", "--client", "/usr/bin/python3 " + script("mqtt_python.py"), "--port", "1883", "--conversation", "mqtt"},
			doubled(2*time.Second, 120*time.Second, 2, 3), 0, hour, time.Minute},
		"gRPC":                {pair("grpc", "call"), doubled(time.Second, 120*time.Second, 1.6, 4), 0.2, hour, time.Minute},
		"gRPC with keepalive": {pair("grpc", "call-keepalive"), doubled(time.Second, 120*time.Second, 1.6, 4), 0.2, 15 * time.Second, 0},
		"HTTP/2":              {pair("http2", "get"), nil, 0, hour, time.Minute},
		"HTTP/2 with pings":   {pair("http2", "get-pings"), nil, 0, 15 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := halfopen(t, append([]string{"run", restarted, rebooted, "--watch", "40m", "--json", "--report", t.TempDir()}, c.arguments...)...)
			if status != 0 || !json.Valid([]byte(stdout)) {
				t.Fatalf("exit status %d:\n%s", status, stderr)
			}
			found := recoveries(t, stdout)
			for _, title := range []string{restarted, rebooted} {
				if r := found[title]; r == nil || r.Outcome != answer.Reconnects {
					t.Fatalf("%s: %+v, expected it to work again", title, r)
				}
			}
			is := backOffs(found[restarted])
			for i, want := range c.backOff {
				slack := time.Duration(c.jitter*float64(want)) + 150*time.Millisecond // its timers, and its own work
				if i >= len(is) || (is[i]-want).Abs() > slack {
					t.Errorf("the attempts are %v apart, expected %v within %v of %v", is, want, slack, c.backOff)
					break
				}
			}
			// A timer of the kernel's may be late by an eighth of its time.
			if r := found[rebooted]; r.GaveUp == nil || r.GaveUp.Duration() < c.least || r.GaveUp.Duration() > c.most+c.most/8 {
				t.Errorf("a host that is rebooted: %s, expected to give up between %v and %v", r.Words(), c.least, c.most)
			}
		})
	}
}

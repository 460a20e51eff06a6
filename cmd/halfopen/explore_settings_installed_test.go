//go:build installed

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mapOf is what the tests read of a map.
type mapOf struct {
	Cells []struct {
		Row, Column string
		Idle        said
		Off         said `json:"power_off"`
	}
	Frontier []struct{ Firewall, Measured, Oracle string }
}

type said struct {
	Measured struct {
		Is, As string
		After  float64 `json:"after_seconds"`
	}
	Oracle string
	Agrees bool
}

func mapped(t *testing.T, arguments ...string) (m mapOf) {
	t.Helper()
	stdout, stderr, status := halfopen(t, append([]string{"explore", "settings", "--json"}, arguments...)...)
	if status == notMeasured {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &m); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	for _, c := range m.Cells {
		for what, s := range map[string]said{"idle": c.Idle, "power off": c.Off} {
			if !s.Agrees {
				t.Errorf("%s, %s, %s: %+v; the oracle: %s", c.Row, c.Column, what, s.Measured, s.Oracle)
			}
		}
	}
	if (status == kept) == t.Failed() {
		t.Errorf("status %d", status)
	}
	return m
}

// Every middlebox whose documentation was read, with the keepalive that people set: each cell is as
// the oracle says.
func TestTheMapOfAllPresetsAgreesWithTheOracle(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "map.svg")
	m := mapped(t, "--svg", picture)
	if len(m.Cells) < 300 {
		t.Errorf("there are %d cells", len(m.Cells))
	}
	for _, f := range m.Frontier {
		if f.Firewall == "aws-nat-gw" && (f.Measured != "300 s" || f.Oracle != "300 s") {
			t.Errorf("a keepalive of %s survives 350 s; the oracle: %s", f.Measured, f.Oracle)
		}
	}
	if content, err := os.ReadFile(picture); err != nil || !strings.HasPrefix(string(content), "<svg ") {
		t.Errorf("the picture: %v", err)
	}
}

// Settings that meet each other: intervals that are longer than the idle time, a user timeout, a
// heartbeat, and firewalls that do all that firewalls do.
func TestMapsOfOtherSettingsAgreeWithTheOracle(t *testing.T) {
	for _, arguments := range [][]string{
		{"--rows", "then=silent-drop,reset-sender,reset-both,pick-up,pick-up-outbound", "--columns", "interval=30s,75s,400s,700s"},
		{"--rows", "user-timeout=off,10s,100s,2000s", "--columns", "idle=off,15s,600s", "--set", "firewall=aws-nat-gw"},
		{"--rows", "firewall=none,60s,350s,aws-nat-gw,azure-lb-tcpreset,gcp-vpc-firewall,aws-alb,haproxy", "--columns", "heartbeat=10s,55s,400s", "--set", "silence=130s", "--set", "idle=off"},
		{"--rows", "user-timeout=off,100s", "--columns", "heartbeat=10s,600s", "--set", "idle=90s"},
		{"--rows", "count=1,2,9", "--columns", "interval=30s,400s", "--set", "firewall=aws-nat-gw"},
	} {
		t.Run(strings.Join(arguments, " "), func(t *testing.T) { mapped(t, arguments...) })
	}
}

// The settings reach the sockets of a program that sets none, on either side of the firewall.
func TestTheMapOfAProgram(t *testing.T) {
	directory := t.TempDir()
	server := []string{"--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--send", "hello"}
	m := mapped(t, append(server, "--rows", "firewall=350s,gcp-vpc-firewall", "--columns", "idle=off,60s,1200s", "--report", directory)...)
	var fates []string
	for _, c := range m.Cells {
		fates = append(fates, c.Idle.Measured.Is+"/"+c.Off.Measured.Is)
	}
	want := "[never/never survives/noticed noticed/noticed never/never survives/noticed noticed/noticed]"
	if got := fmt.Sprint(fates); got != want {
		t.Errorf("%s; expected %s", got, want)
	}
}

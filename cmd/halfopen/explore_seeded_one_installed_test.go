//go:build installed

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeded are the programs of fixtures/programs/seeded, each with a run that shows its mistake.
var seeded = []struct {
	name      string
	fault     string
	at        string
	healed    string
	invariant string
}{
	{"lost", "RST to both ends", "30ms", "never", "request lost: the request"},
	{"leak", "process killed", "30ms", "never", "ghost left: the program still has a socket without a peer, 20m0s after the fault"},
	{"pool", "process restarted, away for 1 s", "500ms", "never", "request lost: the request \"do 2\\n\" has not arrived"},
	{"heartbeat", "one-way drop towards the client", "999ms", "1s", "working connection given up: the program ended a connection that worked again, 1.5 s after the fault"},
}

// seededFile writes the file of a seeded program, which is built, and returns its name.
func seededFile(t *testing.T, name, flag string) string {
	t.Helper()
	content, err := os.ReadFile("../../fixtures/programs/seeded/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(content), "./"+name+"-built", built(t, "../../fixtures/programs/seeded/"+name)+flag, 1)
	file := filepath.Join(t.TempDir(), name+".yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestASeededMistakeIsFoundAtItsInstant(t *testing.T) {
	for _, s := range seeded {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			explored := func(flag string) (string, int) {
				stdout, stderr, status := halfopen(t, "explore", "-f", seededFile(t, s.name, flag), "--fault", s.fault, "--at", s.at, "--healed", s.healed, "--report", t.TempDir())
				return stdout + stderr, status
			}
			if said, status := explored(""); status != broken || !strings.Contains(said, s.invariant) {
				t.Errorf("exit status %d, expected %d and %q:\n%s", status, broken, s.invariant, said)
			}
			if said, status := explored(" -correct"); status != 0 {
				t.Errorf("without the mistake: exit status %d:\n%s", status, said)
			}
		})
	}
}

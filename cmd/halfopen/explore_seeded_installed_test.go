//go:build installed

package main

import (
	"strings"
	"testing"
)

// Each mistake is found with default settings, and the same program without it comes out clean.
func TestASeededMistakeIsFoundByDefault(t *testing.T) {
	for _, s := range seeded {
		t.Run(s.name, func(t *testing.T) {
			invariant, _, _ := strings.Cut(s.invariant, ":")
			stdout, stderr, status := halfopen(t, "explore", "-f", seededFile(t, s.name, ""), "--for", "10m", "--report", t.TempDir())
			if status != broken || !strings.Contains(stdout, invariant) {
				t.Errorf("exit status %d, expected %d and %q:\n%s%s", status, broken, invariant, stdout, stderr)
			}
			t.Log(stderr)
			stdout, stderr, status = halfopen(t, "explore", "-f", seededFile(t, s.name, " -correct"), "--for", "10m", "--report", t.TempDir())
			if status != 0 {
				t.Errorf("without the mistake: exit status %d:\n%s%s", status, stdout, stderr)
			}
			t.Log(stderr)
		})
	}
}

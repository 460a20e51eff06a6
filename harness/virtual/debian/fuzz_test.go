package debian

import (
	"strings"
	"testing"
)

// Archives are looked for in apt's directory: what apt prints must not lead elsewhere.
func FuzzSteps(f *testing.F) {
	f.Add("Remv exim4 [4.96-15] []\nInst libpq5 [15.13-0+deb12u1] (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64]) []\nConf libpq5 (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64])\n", "E: Unable to locate package x\n")
	f.Add("Inst ../../a (1:2/../3 Debian:12 [amd64])\n", "")
	f.Add("Inst libc6:i386 (2.36-9 Debian:12.15/oldstable [../i386])\n", "E: a\rb\n")
	f.Fuzz(func(t *testing.T, out, complaint string) {
		for _, step := range stepsOf(out) {
			for _, name := range step.archives {
				if strings.ContainsAny(name, "/\x00\n") {
					t.Errorf("the archive is %q", name)
				}
			}
		}
		if text := lastComplaint(complaint, out); strings.Contains(text, "\n") {
			t.Errorf("apt's complaint is not one line: %q", text)
		}
	})
}

package main

import (
	"strings"
	"testing"
)

// A guest of QEMU has copies of programs, and whatever else a file lays over them; it has one root
// for all that has no image.
func TestTheOptionsOfAFileWithQEMU(t *testing.T) {
	t.Parallel()
	echo := built(t, "../../fixtures/programs/echo")
	audit := `
server: sh -c 'read a </etc/a; read c </srv/c; test "$a$B$c" = abc && test -e /made && ! (>/root/x) && exec ` + echo + `'
port: 5000
user: nobody
environment: [B=b]
take: ["taken:/srv/c", "` + echo + `"]
files: {/etc/a: "a\n"}
prepare: [": >/made"]
beside:
  - {name: other, command: "sh -c 'echo it is up; read x'", ready: {line: is up}}
`
	out, stderr, status := halfopen(t, "run", "process killed", "--machine", "qemu", "-f", file(t, audit, map[string]string{"taken": "c\n"}), "--report", t.TempDir())
	if status != kept || !strings.HasPrefix(out, "process killed, idle: FIN; closes after 0 s") {
		t.Errorf("exit status %d:\n%s%s", status, out, stderr)
	}
	for audit, want := range map[string]string{
		"{server: cat, client: {command: cat, files: {/etc/x: x}}, port: 5000}":               "programs with different files, take or prepare need the user-mode kernel",
		"{server: {command: cat, packages: [nginx]}, port: 5000}":                             "packages and hidden files need the user-mode kernel",
		"{server: cat, port: 5000, beside: [{command: cat, on: client, hide: [/etc]}]}":       "packages and hidden files need the user-mode kernel",
		"{server: cat, port: 5000, beside: [{command: cat, on: client, take: [/etc/hosts]}]}": "programs with different files, take or prepare need the user-mode kernel",
	} {
		_, stderr, status := halfopen(t, "audit", "--machine", "qemu", "-f", file(t, audit, nil), "--report", t.TempDir())
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if last := lines[len(lines)-1]; status != notMeasured || !strings.Contains(last, want) || len(lines) > 2 {
			t.Errorf("%s: exit status %d, expected %q:\n%s", audit, status, want, stderr)
		}
	}
}

//go:build installed

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// On a machine whose root dpkg does not manage, packages come with a root of Debian's own, which
// has nothing of the machine but what is taken along.
func TestPackagesWhereDpkgManagesNothing(t *testing.T) {
	t.Parallel()
	taken := t.TempDir()
	if err := os.WriteFile(taken+"/options", []byte("-u memcache"), 0o644); err != nil {
		t.Fatal(err)
	}
	elsewhere := func(arguments ...string) (stdout, stderr string, status int) {
		hide := []string{"--mount", "sh", "-ec", `mount -t tmpfs none /var/lib/dpkg; mount -t tmpfs none /var/lib/apt; exec "$@"`, "sh", built(t, ".")}
		if os.Geteuid() != 0 {
			hide = append([]string{"--map-root-user"}, hide...)
		}
		return ran(t, exec.Command("unshare", append(hide, arguments...)...))
	}
	server := "sh -c '. /etc/os-release && test $ID = debian && test -s /var/lib/dpkg/status && test ! -e " + taken + " && exec memcached $(cat /etc/options)'"
	audit := []string{"run", "process killed", "--package", "memcached", "--server", server, "--port", "11211", "--take", taken + "/options:/etc/options", "--report", t.TempDir()}
	out, stderr, status := elsewhere(audit...)
	if status != kept || !strings.HasPrefix(out, "process killed, idle: FIN; closes after 0 s") {
		t.Errorf("exit status %d:\n%s%s", status, out, stderr)
	}
	_, stderr, status = elsewhere(append(audit, "--hide", "/etc/passwd")...)
	if status != notMeasured || !strings.Contains(stderr, "packages have a root of their own here") {
		t.Errorf("something is hidden: exit status %d: %s", status, stderr)
	}
}

//go:build installed

package main

import (
	"strings"
	"testing"
)

// A system of Debian's own programs: PgBouncer finds PostgreSQL by its socket in /run, where both
// packages have it.
func TestPgBouncerBeforePostgreSQL(t *testing.T) {
	t.Parallel()
	out, stderr, status := halfopen(t, "run", "process killed", "-f", "../../scripts/installed/pgbouncer.yaml", "--report", t.TempDir())
	if status != kept || !strings.Contains(out, "process killed, idle: FIN; closes after 0 s") || !strings.Contains(out, "wrote: the answer is 42") {
		t.Errorf("exit status %d:\n%s%s", status, out, stderr)
	}
}

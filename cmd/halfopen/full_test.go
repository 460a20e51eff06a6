package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Each file system is one in memory, in namespaces of the test's own, too small for one thing.
func TestAFullDiskIsOneLineWithItsDirectory(t *testing.T) {
	t.Parallel()
	halfopen, server, place := built(t, "."), built(t, "../../fixtures/programs/echo"), t.TempDir()
	measure := fmt.Sprintf("%s run 'process killed' --server %s --port 5000 --watch 10m --report", halfopen, server)
	kept := filepath.Join(t.TempDir(), "kept.json")
	if err := os.WriteFile(kept, []byte("as it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, size, script, want string }{
		{"the report", "32k", measure + " full/report", filepath.Join(place, "full/report")},
		{"the initramfs", "300k", "TMPDIR=$PWD/full " + measure + " " + filepath.Join(t.TempDir(), "a"), filepath.Join(place, "full/halfopen-guest-")},
		{"the programs of tests", "1m", "report=$PWD/full; cd " + module(t) + " && TMPDIR=$report " + halfopen + " test --report " + filepath.Join(t.TempDir(), "b"), filepath.Join(place, "full")},
		{"a baseline", "16k", "cp " + kept + " full/b.json; head -c 16k /dev/zero >full/rest 2>/dev/null; " + fmt.Sprintf("%s audit --server %s --port 5000 --watch 10m --update --baseline full/b.json --report %s >/dev/null; status=$?; cat full/b.json; exit $status", halfopen, server, filepath.Join(t.TempDir(), "c")), filepath.Join(place, "full/b.json")},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := os.MkdirAll(filepath.Join(place, "full"), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs -o size="+c.size+" none full && "+c.script)
			cmd.Dir = place
			stdout, stderr, status := ran(t, cmd)
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			last := lines[len(lines)-1]
			if status != notMeasured || !strings.Contains(last, c.want) || !strings.Contains(last, "no space left on device: make room there, or choose another place") {
				t.Errorf("exit status %d, expected %d and one line with %s:\n%s", status, notMeasured, c.want, stderr)
			}
			for _, line := range lines[:len(lines)-1] {
				if !strings.HasPrefix(line, "halfopen: ") && !strings.HasPrefix(line, "  ") {
					t.Errorf("it also prints %q", line)
				}
			}
			if c.what == "a baseline" && !strings.HasSuffix(stdout, "as it was") {
				t.Errorf("the baseline is now %q", stdout)
			}
		})
	}
}

func TestASecondRunInOnePlaceSaysWhoIsThere(t *testing.T) {
	t.Parallel()
	binary, report := built(t, "."), filepath.Join(t.TempDir(), "report")
	arguments := []string{"audit", "--server", "sleep 1000", "--port", "5000", "--ready", "719h", "--report", report}
	first, output, _ := waiting(t, binary, stage{arguments: arguments, kernels: true, waits: "measuring in virtual time"})
	for _, c := range [][]string{arguments, {"run", "process killed", "--server", "cat", "--port", "5000", "--report", report}, {"test", "--report", report}} {
		stdout, stderr, status := ran(t, exec.Command(binary, c...))
		want := fmt.Sprintf("%s, is in use by process %d (%s audit) since 20", report, first.Process.Pid, filepath.Base(binary))
		if status != notMeasured || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %s%s; expected one line with %q", c[0], status, stdout, stderr, want)
		}
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if !ends(t, first, endsNow) {
		t.Fatalf("it does not end:\n%s", output)
	}
	stdout, stderr, status := ran(t, exec.Command(binary, "run", "process killed", "--server", built(t, "../../fixtures/programs/echo"), "--port", "5000", "--watch", "10m", "--report", report))
	if status != kept {
		t.Errorf("after the first was killed: status %d\n%s%s", status, stdout, stderr)
	}
	if _, err := answer.Read(t.Context(), filepath.Join(report, answer.JSONFile)); err != nil {
		t.Error(err)
	}
}

package descendants_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/descendants"
)

// A shell starts a process group of its own whose leader ends: the last process is an orphan.
func TestOrphansAreKilledToo(t *testing.T) {
	earlier := exec.Command("sleep", "1000")
	if err := earlier.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = earlier.Process.Kill(), earlier.Wait() }()
	d, err := descendants.Adopt()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "(sh -c 'trap \"\" INT TERM; echo $$; exec sleep 1000' &) ; exec sleep 1000")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	orphan, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if status, err := os.ReadFile("/proc/" + strings.TrimSpace(orphan) + "/status"); err == nil && !strings.Contains(string(status), "zombie") {
		t.Errorf("the orphan runs:\n%s", status)
	}
	if err := d.Kill(); err != nil {
		t.Errorf("without descendants: %v", err)
	}
	if err := earlier.Process.Signal(unix.Signal(0)); err != nil {
		t.Errorf("a child from before: %v", err)
	}
}

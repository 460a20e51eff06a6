package debian

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fetching is a script that waits for something, and tidies up when it is
// asked to end. Both hold the pipe open.
const fetching = `trap 'echo tidied >tidied; exit 1' TERM
exec 3>pipe
sh -c 'echo started >&3; exec sleep 1000' &
wait
`

func TestAFetchThatIsCancelledTidiesUpAndLeavesNothingRunning(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := unpacked(ctx, fetching, "iptables")
		ended <- err
	}()
	pipe, err := os.Open("pipe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pipe.Close() }()
	in := bufio.NewReader(pipe)
	if line, err := in.ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("the fetch says %q, %v", line, err)
	}
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "getting the package iptables") {
		t.Errorf("a fetch that was cancelled: %v", err)
	}
	if content, err := os.ReadFile("tidied"); string(content) != "tidied\n" {
		t.Errorf("it has not tidied up: %q, %v", content, err)
	}
	if err := pipe.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(in); err != nil {
		t.Errorf("what it had started still runs: %v", err)
	}
}

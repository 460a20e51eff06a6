package peer_test

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestALineIsAwaitedAndTheOutputKept(t *testing.T) {
	p, _ := start(t, exec.Command("sh", "-c", "echo starting; echo listening on 80 >&2; sleep 60"))
	line, err := p.AwaitLine(promptly(t), regexp.MustCompile(`^listening on \d+$`))
	if err != nil || line != "listening on 80" {
		t.Errorf("AwaitLine: %q, %v", line, err)
	}
	if _, err := p.AwaitLine(promptly(t), regexp.MustCompile("^starting$")); err != nil { // it has come before
		t.Error(err)
	}
	if got := p.Output(); !strings.Contains(got, "starting\n") || !strings.Contains(got, "listening on 80\n") {
		t.Errorf("the output is %q", got)
	}
}

func TestALineThatDoesNotCome(t *testing.T) {
	never := regexp.MustCompile("never")
	p, _ := start(t, exec.Command("sh", "-c", "echo no such port; exit 3"))
	if _, err := p.AwaitLine(promptly(t), never); err == nil || err.Error() != `sh on client ended before it wrote a line that matches "never": exit status 3; it wrote: no such port` {
		t.Errorf("AwaitLine: %v", err)
	}
	p, _ = start(t, exec.Command("sleep", "60"))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.AwaitLine(ctx, never); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `has not written a line that matches "never" in time`) {
		t.Errorf("AwaitLine: %v", err)
	}
}

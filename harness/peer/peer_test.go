package peer_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

func TestMain(m *testing.M) {
	reexec.Register("greeter", func(arguments []string) error {
		if len(arguments) > 0 && arguments[0] == "-fail" {
			return errors.New("no greeting today")
		}
		peer.Report(peer.Event{Name: "ready", Peer: "nobody", N: 7})
		select {}
	})
	reexec.Main()
	private.Main(m.Run)
}

func start(t *testing.T, cmd *exec.Cmd) (*peer.Program, *timeline.Timeline) {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	events := timeline.New()
	p, err := peer.Start(ns, "client", cmd, events)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := unix.Kill(p.PID(), 0); err != unix.ESRCH {
			t.Errorf("signalling the program after Close: %v, expected ESRCH", err)
		}
	})
	return p, events
}

func promptly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestAFixtureReports(t *testing.T) {
	p, events := start(t, reexec.Command("greeter"))
	e, err := p.Await(promptly(t), "ready")
	if err != nil || e.Peer != "nobody" || e.N != 7 || time.Since(e.At).Abs() > 5*time.Second {
		t.Errorf("Await: %+v, %v", e, err)
	}
	if !strings.Contains(events.String(), "halfopen-greeter: ready nobody 7") {
		t.Errorf("the timeline does not have the event:\n%v", events)
	}
}

func TestAProgramThatEndsAtOnceSaysWhy(t *testing.T) {
	p, _ := start(t, reexec.Command("greeter", "-fail"))
	_, err := p.Await(promptly(t), "ready")
	if want := "halfopen-greeter on client ended before it was ready: exit status 1; it wrote: greeter: no greeting today"; err == nil || err.Error() != want {
		t.Errorf("Await: %v, expected %s", err, want)
	}
}

func TestAProgramThatDoesNotExist(t *testing.T) {
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	for want, cmd := range map[string]*exec.Cmd{
		"starting /nonexistent/nginx on server: no such file or directory: is it installed, and may it be run?":                                        exec.Command("/nonexistent/nginx"),
		"starting nonesuch on server: executable file not found in $PATH: is it installed, and may it be run?":                                         exec.Command("nonesuch"),
		`starting halfopen-nonesuch on server: there is no program "nonesuch" in this binary, which has greeter: import the package that registers it`: reexec.Command("nonesuch"),
	} {
		if _, err := peer.Start(ns, "server", cmd, timeline.New()); err == nil || err.Error() != want {
			t.Errorf("Start: %v, expected %s", err, want)
		}
	}
}

func TestAProgramThatSaysNothingIsNotReadyInTime(t *testing.T) {
	p, _ := start(t, exec.Command("sleep", "60"))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Await(ctx, "ready"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "sleep on client was not ready in time") {
		t.Errorf("Await: %v", err)
	}
}

func TestAStoppedProgramIsEndedToo(t *testing.T) {
	p, _ := start(t, exec.Command("sleep", "60"))
	if err := p.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if how, err := p.AwaitEnd(promptly(t)); how != "signal: killed" {
		t.Errorf("it ended by %q, %v", how, err)
	}
	if err := p.Signal(unix.SIGTERM); err == nil {
		t.Error("a program that is gone took a signal")
	}
}

func TestAFloodIsCutShort(t *testing.T) {
	p, events := start(t, exec.Command("sh", "-c", "yes $(seq 200) | head -n 3000"))
	if _, err := p.AwaitEnd(promptly(t)); err != nil {
		t.Fatal(err)
	}
	text := events.String()
	if !strings.Contains(text, "writes more than 1000 lines: the rest is left out") {
		t.Error("the timeline does not say that the rest is left out")
	}
	for _, line := range strings.Split(text, "\n") {
		if len(line) > 500 {
			t.Fatalf("a line of %d bytes is in the timeline", len(line))
		}
	}
}

// A descendant that still runs keeps the program's output open.
func TestTheEndDoesNotWaitForDescendants(t *testing.T) {
	p, _ := start(t, exec.Command("sh", "-c", "sleep 60 & echo started"))
	if how, err := p.AwaitEnd(promptly(t)); how != "exit status 0" {
		t.Errorf("it ended by %q, %v", how, err)
	}
}

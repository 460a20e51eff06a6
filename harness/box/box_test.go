package box_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

func TestMain(m *testing.M) {
	reexec.Main()
	private.Main(m.Run)
}

// start starts a shell script in a box, in a network namespace of its own.
func start(t *testing.T, script string) *peer.Program {
	t.Helper()
	return order(t, box.Order{Arguments: []string{"sh", "-c", script}, Directory: "/", Environment: []string{"PATH=/usr/bin:/bin", "GREETING=hello"}})
}

func order(t *testing.T, o box.Order) *peer.Program {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	cmd, err := o.Command()
	if err != nil {
		t.Fatal(err)
	}
	p, err := peer.Start(ns, "server", cmd, timeline.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func awaitExit(t *testing.T, p *peer.Program) box.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := box.AwaitExit(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWhatTheProgramWritesStaysInTheBox(t *testing.T) {
	// In this machine's root, in /tmp, and on a file system of its own, where there is one.
	file := filepath.Join(t.TempDir(), "written")
	p := start(t, "echo $GREETING from $$; test -t 1 && echo a terminal; echo x >"+file+" && cat "+file+"; ls /proc | grep -c '^[0-9]'; exit 3")
	if e := awaitExit(t, p); e.How != "exit status 3" || e.NotStarted || time.Since(e.At).Abs() > 10*time.Second {
		t.Errorf("it ended by %+v", e)
	}
	lines := box.Output(p)
	// The box's own process, the shell, ls and grep.
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "hello from ") || lines[1] != "a terminal" || lines[2] != "x" || lines[3] > "5" {
		t.Errorf("it wrote %q", lines)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is on this machine (%v)", err)
	}
}

func TestAProgramHasNotEndedWhileItsChildrenRun(t *testing.T) {
	p := start(t, "sleep 0.3 & exit 0")
	began := time.Now()
	if e := awaitExit(t, p); !strings.Contains(e.How, "left in the background") || e.At.Sub(began) < 200*time.Millisecond {
		t.Errorf("it ended by %+v after %v", e, e.At.Sub(began))
	}
}

func TestAProgramThatCannotBeStartedSaysWhy(t *testing.T) {
	for want, o := range map[string]box.Order{
		"no-such-program: executable file not found in $PATH": {Arguments: []string{"no-such-program"}},
		"there is no user nobody-knows in /etc/passwd":        {Arguments: []string{"true"}, User: "nobody-knows"},
	} {
		o.Directory, o.Environment = "/", []string{"PATH=/usr/bin:/bin"}
		if e := awaitExit(t, order(t, o)); !e.NotStarted || !strings.Contains(e.How, want) {
			t.Errorf("%+v, expected %q", e, want)
		}
	}
}

func TestTheMarkIsWrittenBeforeTheProgramStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "marker")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := order(t, box.Order{Arguments: []string{"cat", file}, Directory: "/", Environment: []string{"PATH=/usr/bin:/bin"}, Mark: box.Mark{File: file, Text: "trial 1"}})
	awaitExit(t, p)
	if lines := box.Output(p); !slices.Equal(lines, []string{"trial 1"}) {
		t.Errorf("the program found %q", lines)
	}
}

func TestSignalReachesAllProcessesAndNoOthers(t *testing.T) {
	p := start(t, "sleep 60 & echo started; exec sleep 60")
	await(t, "both processes run, and have waited for something", func() bool {
		inside, err := box.Processes(p.PID())
		n, failed := box.Wakeups(p.PID())
		return err == nil && failed == nil && len(inside) == 2 && len(box.Output(p)) == 1 && n > 0
	})
	if err := box.Signal(p.PID(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if e := awaitExit(t, p); e.How != "signal: terminated" && !strings.Contains(e.How, "left in the background") {
		t.Errorf("it ended by %+v", e)
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited 10 s until %s", what)
		}
	}
}

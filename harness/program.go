package harness

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Program is a program that Host.Start has started.
type Program struct {
	Process *peer.Program // its methods return errors and fail no step
	host    *Host
}

// Await waits up to 5 s until the program has reported an event of that name, which may have come
// before, and returns the first. It fails the step if the program has ended or the time is over.
func (p *Program) Await(event string) peer.Event {
	p.host.lab.t.Helper()
	ctx, cancel := p.host.lab.context()
	defer cancel()
	e, err := p.Process.Await(ctx, event)
	if err != nil {
		p.host.lab.t.Fatalf("%v\n%s", err, p.host.lab.Recent())
	}
	return e
}

// AwaitUntil waits until the program has reported an event of that name, which may have come before, and
// returns the first. ok is false if none has come by the instant until.
func (p *Program) AwaitUntil(event string, until time.Time) (e peer.Event, ok bool) {
	return p.Process.AwaitUntil(event, until)
}

// Event returns the first event of that name so far; ok is false if there is none. It does not wait.
func (p *Program) Event(name string) (e peer.Event, ok bool) { return p.Process.Event(name) }

// Events returns all events so far.
func (p *Program) Events() []peer.Event { return p.Process.Events() }

// PID returns the program's process id.
func (p *Program) PID() int { return p.Process.PID() }

// Signal sends the program a signal. It returns os.ErrProcessDone if the program has ended.
func (p *Program) Signal(signal syscall.Signal) error { return p.Process.Signal(signal) }

// AwaitEnd waits up to 5 s until the program has ended, and returns how: "exit status 0",
// "signal: broken pipe". It fails the step if the program still runs.
func (p *Program) AwaitEnd() string {
	p.host.lab.t.Helper()
	ctx, cancel := p.host.lab.context()
	defer cancel()
	how, err := p.Process.AwaitEnd(ctx)
	if err != nil {
		p.host.lab.t.Fatalf("%v\n%s", err, p.host.lab.Recent())
	}
	return how
}

// startTimeout bounds how long a program takes to start: a Java virtual machine needs some seconds.
const startTimeout = 30 * time.Second

// AwaitListening waits up to 30 s until a socket of the program's host listens on a TCP port. It fails
// the step if the program has ended or the time is over.
func (p *Program) AwaitListening(port uint16) {
	p.host.lab.t.Helper()
	listens := func(e sock.Entry) bool { return e.State == sock.Listening && e.Local.Port() == port }
	for deadline := time.Now().Add(startTimeout); !slices.ContainsFunc(p.host.Sockets(), listens); {
		select {
		case <-p.Process.Ended():
			p.host.lab.t.Fatalf("%s on %s ended before it listened on port %d: %s%s", p.Process.Name, p.host.name, port, p.AwaitEnd(), p.wrote())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.host.lab.t.Fatalf("%s on %s does not listen on port %d after %v%s", p.Process.Name, p.host.name, port, startTimeout, p.wrote())
		}
	}
}

// AwaitLine waits up to 30 s until the program has written a line that matches to its standard output or
// error, which may have come before, and returns the line. It fails the step if the program has ended
// without one or the time is over.
func (p *Program) AwaitLine(match *regexp.Regexp) string {
	p.host.lab.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	line, err := p.Process.AwaitLine(ctx, match)
	if err != nil {
		p.host.lab.t.Fatalf("%v\n%s", err, p.host.lab.Recent())
	}
	return line
}

// Output returns what the program has written so far: its first 1000 lines, the first 400 bytes of each.
func (p *Program) Output() string { return p.Process.Output() }

// wrote returns the program's output, for failure texts.
func (p *Program) wrote() string {
	if p.Output() == "" {
		return ": it wrote nothing"
	}
	return fmt.Sprintf(": it wrote\n%s", p.Output())
}

// String returns the program's name for failure texts: "the server's program".
func (p *Program) String() string { return "the " + p.host.name + "'s program" }

// Recent returns the last events of the lab's timeline, for failure texts.
func (p *Program) Recent() string { return p.host.lab.Recent() }

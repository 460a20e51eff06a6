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

// Program is a program that runs on a host. Its Process has the calls that return errors.
type Program struct {
	Process *peer.Program
	host    *Host
}

// Await waits until the program has reported an event of that name, which may have
// come before, and returns it. The test fails when it does not come promptly.
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

// AwaitUntil returns the first event of that name that has come when an instant is
// there, as soon as it has; ok is false when there is none.
func (p *Program) AwaitUntil(event string, until time.Time) (e peer.Event, ok bool) {
	return p.Process.AwaitUntil(event, until)
}

// Event returns the first event of that name so far; ok is false when there is none.
func (p *Program) Event(name string) (e peer.Event, ok bool) { return p.Process.Event(name) }

// Events returns the events so far.
func (p *Program) Events() []peer.Event { return p.Process.Events() }

// PID returns the program's process id.
func (p *Program) PID() int { return p.Process.PID() }

// Signal sends the program a signal. A program that has ended gets none, which is an error.
func (p *Program) Signal(signal syscall.Signal) error { return p.Process.Signal(signal) }

// AwaitEnd waits until the program has ended and returns how: "exit status 0",
// "signal: broken pipe".
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

// starting bounds how long a program may take to start: a Java virtual machine needs some
// seconds.
const starting = 30 * time.Second

// AwaitListening waits until a socket of the program's host listens on a TCP port, and
// fails the step when the program has ended or 30 s are over.
func (p *Program) AwaitListening(port uint16) {
	p.host.lab.t.Helper()
	listens := func(e sock.Entry) bool { return e.State == sock.Listening && e.Local.Port() == port }
	for deadline := time.Now().Add(starting); !slices.ContainsFunc(p.host.Sockets(), listens); {
		select {
		case <-p.Process.Ended():
			p.host.lab.t.Fatalf("%s on %s ended before it listened on port %d: %s%s", p.Process.Name, p.host.name, port, p.AwaitEnd(), p.wrote())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.host.lab.t.Fatalf("%s on %s does not listen on port %d after %v%s", p.Process.Name, p.host.name, port, starting, p.wrote())
		}
	}
}

// AwaitLine waits until the program has written a line that matches, to its standard output
// or error, which may have come before, and returns the line. It fails the step when the
// program has ended without it or 30 s are over.
func (p *Program) AwaitLine(match *regexp.Regexp) string {
	p.host.lab.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), starting)
	defer cancel()
	line, err := p.Process.AwaitLine(ctx, match)
	if err != nil {
		p.host.lab.t.Fatalf("%v\n%s", err, p.host.lab.Recent())
	}
	return line
}

// Output returns what the program has written so far: its first 1000 lines, 400 bytes of
// each.
func (p *Program) Output() string { return p.Process.Output() }

func (p *Program) wrote() string {
	if p.Output() == "" {
		return ": it wrote nothing"
	}
	return fmt.Sprintf(": it wrote\n%s", p.Output())
}

// String is the host that the program runs on, as specs speak of it: "the server".
func (p *Program) String() string { return "the " + p.host.name + "'s program" }

// Recent is the end of the timeline, for failure texts.
func (p *Program) Recent() string { return p.host.lab.Recent() }

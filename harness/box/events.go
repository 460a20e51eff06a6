package box

import (
	"context"
	"time"

	"github.com/halfopen-lab/halfopen/harness/peer"
)

// The names of the events that a box reports.
const (
	started = "started" // N: the program's process id inside the box
	failed  = "failed"  // Text: why the program could not be started
	wrote   = "wrote"   // Text: a line of its output
	flooded = "flooded" // N: how many lines are told; the rest is left out
	matched = "matched" // Text: the line that was waited for
	exited  = "exited"  // Text: how the program ended; N: how many processes it left behind
)

// Exit is the end of a program in a box.
type Exit struct {
	At  time.Time
	How string // "exit status 1", "signal: killed"; where NotStarted: why
	// NotStarted reports that the program could not be started.
	NotStarted bool
}

// AwaitExit waits until no process of the program is left and returns how it ended. A
// daemon whose first process ends at once has not ended while its children run. The error
// is ctx's, when ctx ends first.
func AwaitExit(ctx context.Context, p *peer.Program) (Exit, error) {
	e, err := p.Await(ctx, exited)
	if f, ok := p.Event(failed); ok {
		return Exit{At: f.At, How: f.Text, NotStarted: true}, nil
	}
	switch {
	case ctx.Err() != nil:
		return Exit{}, ctx.Err()
	case err != nil:
		return Exit{At: time.Now(), How: err.Error(), NotStarted: true}, nil
	case e.N == 0:
		return Exit{At: e.At, How: e.Text}, nil
	}
	if _, err := p.AwaitEnd(ctx); err != nil {
		return Exit{}, err
	}
	return Exit{At: time.Now(), How: "the last process that it had left in the background has ended"}, nil
}

// AwaitLine waits until the program has written a line that Order.Line matches. The error says
// that the program has ended without one, or is ctx's.
func AwaitLine(ctx context.Context, p *peer.Program) error {
	_, err := p.Await(ctx, matched)
	return err
}

// Output returns the lines that the program has written so far, the first 200 of them.
func Output(p *peer.Program) []string {
	var lines []string
	for _, e := range p.Events() {
		if e.Name == wrote {
			lines = append(lines, e.Text)
		}
	}
	return lines
}

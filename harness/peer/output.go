package peer

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// Output returns what the program has written so far to its standard output and error,
// lines that are events left out: the first 1000 lines, 400 bytes of each.
func (p *Program) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.output) == 0 {
		return ""
	}
	return strings.Join(p.output, "\n") + "\n"
}

// AwaitLine waits until the program has written a line that matches, which may have come
// before, and returns the line. It fails when the program ends without it, and when ctx
// does.
func (p *Program) AwaitLine(ctx context.Context, match *regexp.Regexp) (string, error) {
	look := func() (string, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, line := range p.output {
			if match.MatchString(line) {
				return line, true
			}
		}
		return "", false
	}
	line, ok := await(p, look, p.ended, ctx.Done())
	switch {
	case ok:
		return line, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s on %s has not written a line that matches %q in time: %w%s", p.Name, p.host, match, ctx.Err(), p.wrote())
	}
	return "", fmt.Errorf("%s on %s ended before it wrote a line that matches %q: %v%s", p.Name, p.host, match, p.cmd.ProcessState, p.wrote())
}

// Ended returns a channel that is closed when the program has ended and its output is read.
func (p *Program) Ended() <-chan struct{} { return p.ended }

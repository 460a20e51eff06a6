package peer

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// Output returns what the program has written so far to its standard output and error,
// without events: the first 1000 lines, and 400 bytes of each line.
func (p *Program) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.output) == 0 {
		return ""
	}
	return strings.Join(p.output, "\n") + "\n"
}

// AwaitLine waits for the first line of Output that matches and returns it; it may have
// come before. The error says that the program or ctx ended first.
func (p *Program) AwaitLine(ctx context.Context, match *regexp.Regexp) (string, error) {
	find := func() (string, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, line := range p.output {
			if match.MatchString(line) {
				return line, true
			}
		}
		return "", false
	}
	line, ok := await(p, find, p.ended, ctx.Done())
	switch {
	case ok:
		return line, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s on %s has not written a line that matches %q in time: %w%s", p.Name, p.host, match, ctx.Err(), p.wrote())
	}
	return "", fmt.Errorf("%s on %s ended before it wrote a line that matches %q: %v%s", p.Name, p.host, match, p.cmd.ProcessState, p.wrote())
}

// Ended returns a channel that is closed when the program has ended and its output has been
// read.
func (p *Program) Ended() <-chan struct{} { return p.ended }

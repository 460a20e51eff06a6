package kernel

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// The least time between two percentages.
const (
	onTerminal = 250 * time.Millisecond
	inLog      = 10 * time.Second
)

// progress shows a person the stages of a build, one on a line. On a terminal a
// percentage rewrites the line; elsewhere it is a line of its own.
type progress struct {
	to       io.Writer
	terminal bool
	every    time.Duration

	mu    sync.Mutex
	stage string
	shown time.Time // when a line was last shown
	open  bool      // the terminal's line is not finished
}

// newProgress returns a progress that writes to a writer, which may be nil.
func newProgress(to io.Writer) *progress {
	if to == nil {
		to = io.Discard
	}
	p := &progress{to: to, every: inLog}
	if f, ok := to.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal, p.every = true, onTerminal
	}
	return p
}

// begin shows the line of a stage.
func (p *progress) begin(format string, arguments ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage = "kernel: " + fmt.Sprintf(format, arguments...)
	p.shown = time.Now()
	p.end()
	if p.terminal {
		_, _ = io.WriteString(p.to, p.stage)
		p.open = true
		return
	}
	_, _ = io.WriteString(p.to, p.stage+"\n")
}

// part shows which part of the stage is done, unless the last line is too recent. It
// shows at most 99 %, because the expectation may be too small.
func (p *progress) part(done, expected int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if expected <= 0 || time.Since(p.shown) < p.every {
		return
	}
	p.shown = time.Now()
	line := fmt.Sprintf("%s: %d %%", p.stage, min(99, 100*done/expected))
	if p.terminal {
		_, _ = fmt.Fprintf(p.to, "\r%s\x1b[K", line) // erases the rest of the line
		return
	}
	_, _ = io.WriteString(p.to, line+"\n")
}

// close finishes the terminal's line.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

func (p *progress) end() {
	if p.open {
		_, _ = io.WriteString(p.to, "\n")
		p.open = false
	}
}

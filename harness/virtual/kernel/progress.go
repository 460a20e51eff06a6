package kernel

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// How often a percentage is shown.
const (
	onTerminal = 250 * time.Millisecond // where it rewrites its line
	inLog      = 10 * time.Second
)

// progress tells a person what a build does, a line for each stage. Percentages rewrite
// the line of a terminal; elsewhere they are lines of their own, some seconds apart.
type progress struct {
	to       io.Writer
	terminal bool
	every    time.Duration

	mu    sync.Mutex
	stage string
	shown time.Time // when a line was last shown
	open  bool      // the terminal's line is not finished
}

// newProgress writes to a writer; nil: nowhere.
func newProgress(to io.Writer) *progress {
	if to == nil {
		to = io.Discard
	}
	p := &progress{to: to, every: inLog}
	if f, ok := to.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			p.terminal, p.every = true, onTerminal
		}
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

// part shows how much of the stage is done, unless that was shown just now. A stage of
// which more is done than was expected stays at 99 %.
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

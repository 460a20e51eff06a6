package gotest

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// progress tells how a run comes along: a line for each shard that has ended, and on a
// terminal, below these, one that changes.
type progress struct {
	to       io.Writer // nil: nowhere
	terminal bool
	tests    int // in all
	ended    func()

	mu     sync.Mutex
	done   int
	failed int // in the shards that have ended
	shown  time.Time
}

func newProgress(s Settings, tests int) *progress {
	return &progress{to: s.Output, terminal: s.Terminal, ended: s.Ended, tests: tests}
}

// refresh is how often the line that changes is written at most.
const refresh = 100 * time.Millisecond

// testEnded counts a test. How it ended is in the report of its shard.
func (p *progress) testEnded() {
	if p.ended != nil {
		p.ended()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = min(p.done+1, p.tests)
	p.show()
}

// show writes the line that changes. A run of few tests is over before it is of use.
func (p *progress) show() {
	if p.to == nil || !p.terminal || time.Since(p.shown) < refresh {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.to, "\r\x1b[K%d of %d, %d failed", p.done, p.tests, p.failed)
}

// clear removes the line that changes.
func (p *progress) clear() {
	if p.to != nil && p.terminal {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}

// shardEnded prints a shard's line.
func (p *progress) shardEnded(f Figures, suites []shard.SuiteReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var specs types.SpecReports
	for _, s := range suites {
		specs = append(specs, specsOf(s.Report)...)
	}
	failed := specs.CountWithState(types.SpecStateFailureStates)
	p.failed += failed
	if p.to == nil {
		return
	}
	p.clear()
	fmt.Fprintf(p.to, "shard %d/%d: %d passed, %d failed, %d skipped, in %.1f s\n", f.Shard, shard.Count,
		specs.CountWithState(types.SpecStatePassed), failed, specs.CountWithState(types.SpecStateSkipped), f.Wall)
	p.shown = time.Time{}
	p.show()
}

// console returns a writer for what a guest prints, which counts the tests that end: those
// of Ginkgo, which prints a dot for each, and plain ones. What else prints such signs is
// counted as well; only the report is exact.
func (p *progress) console() io.Writer { return &counter{each: p.testEnded} }

// The signs of a test that has ended.
var (
	dot = []byte("•")
	// A marker, which -test.v=test2json puts before the lines of package testing, and the
	// beginning of such a line.
	verdict = []byte("\x16--- ")
)

// counter looks for signs in what is written, in whatever pieces.
type counter struct {
	each func()
	line []byte
}

// longestLine is how much of a line is looked at.
const longestLine = 4 << 10

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	for _, b := range p {
		if c.line = append(c.line, b); len(c.line) > longestLine {
			c.line = c.line[:0]
		}
		switch {
		case bytes.HasSuffix(c.line, dot):
			c.each()
			c.line = c.line[:0]
		case b == '\n':
			// A subtest's name has a slash.
			if bytes.Contains(c.line, verdict) && !bytes.Contains(c.line, []byte("/")) {
				c.each()
			}
			c.line = c.line[:0]
		}
	}
	return len(p), nil
}

package run

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// progress tells how a run in virtual time comes along: a line for each shard that has
// ended, with the failures of its specs, and on a terminal, below these, one that changes.
type progress struct {
	to       io.Writer // nil: nowhere
	terminal bool
	specs    int // of all shards
	ended    func()

	mu     sync.Mutex
	done   int
	failed int // in the shards that have ended
	shown  time.Time
}

// refresh is how often the line that changes is written at most.
const refresh = 100 * time.Millisecond

// specEnded counts a spec. How it ended is in the report of its shard.
func (p *progress) specEnded(shard.Record) {
	if p.ended != nil {
		p.ended()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.show()
}

// show writes the line that changes. A run of few specs is over before it is of use.
func (p *progress) show() {
	if p.to == nil || !p.terminal || time.Since(p.shown) < refresh {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.to, "\r\x1b[K%d of %d specs, %d failed", p.done, p.specs, p.failed)
}

// clear removes the line that changes.
func (p *progress) clear() {
	if p.to != nil && p.terminal {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}

// shardEnded prints a shard's line, and its failures as Ginkgo prints them.
func (p *progress) shardEnded(f Figures, report types.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	specs := Specs([]types.Report{report})
	failed := specs.WithState(types.SpecStateFailureStates)
	p.failed += len(failed)
	if p.to == nil {
		return
	}
	p.clear()
	fmt.Fprintf(p.to, "shard %d/%d: %d passed, %d failed, %d skipped, in %.1f s\n", f.Shard, shard.Count,
		specs.CountWithState(types.SpecStatePassed), len(failed), specs.CountWithState(types.SpecStateSkipped), f.Wall)
	if len(failed) > 0 {
		ginkgo := reporters.NewDefaultReporter(types.ReporterConfig{NoColor: !p.terminal}, p.to)
		for _, spec := range failed {
			ginkgo.DidRun(spec)
		}
	}
	p.shown = time.Time{}
	p.show()
}

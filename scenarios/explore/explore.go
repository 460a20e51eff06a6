package explore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// Config is an exploration of instants.
type Config struct {
	Subject Subject
	Wish
	Command string // explores the same subject, without what the wish says: "halfopen explore -f halfopen.yaml"
	Report  string // the directory of what is made; one with the same exploration is gone on with

	Runs  int           // the most to make, in whole batches; zero: all of the plan
	For   time.Duration // after it no batch is begun; zero: it is not limited
	Shard *Shard        // the part to make, which is left for Merge; nil: all

	Progress func(Progress) // is called from one goroutine at a time; nil: it is not
}

// Progress is how far an exploration is.
type Progress struct {
	Made, Wanted int // runs, of this directory
	Begun        int // how many of them were made before
	Broken       int // runs that break an invariant
	// New is a violation of a sort that no earlier run of this process had, and Run its run; nil:
	// there is none.
	New *Violation
	Run Run
	// Shrinking and Findings say how many findings were made smaller, once all runs are made.
	Shrinking, Findings int
}

// Check returns an error, in one line, if the exploration makes no sense.
func (c Config) Check() error {
	switch {
	case c.Runs < 0:
		return fmt.Errorf("%d runs: choose 1 or more (--runs)", c.Runs)
	case c.For < 0:
		return fmt.Errorf("exploring for %v: choose a time such as 10m (--for)", c.For)
	}
	return c.Wish.Check()
}

// Instants explores the instants of a subject. What is made is in the directory c.Report as soon as it is there: the same
// exploration, begun again after any end, goes on with it. It returns what was found, which is
// also in JSONFile; of a shard, which has no findings yet, nil.
//
// When ctx ends early there is an error, and also what was found until then.
func Instants(ctx context.Context, c Config) (_ *Explored, err error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	held, err := hold(c.Report)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	quiet, err := c.quiet(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(c.Wish, quiet)
	if err != nil {
		return nil, err
	}
	wanted := p.Runs()
	if c.Runs > 0 {
		wanted = min(wanted, c.Runs)
	}
	o := order{Plan: p, Command: c.Command, Batches: batches(wanted), Shard: c.Shard}
	held.Keep()
	w, err := openWork(held.Path(), o)
	if err != nil {
		return nil, err
	}
	made, ended := c.make(ctx, w)
	if made == nil {
		return nil, ended
	}
	if c.Shard != nil {
		return nil, ended
	}
	return c.conclude(ctx, w, made, ended)
}

// CheckReport returns an error, in one line, if a directory cannot be that of an exploration.
func CheckReport(directory string) error {
	held, err := hold(directory)
	if err != nil {
		return err
	}
	return held.Close()
}

// hold takes the directory of an exploration for this process. It is an error if it has another
// report.
func hold(directory string) (*report.Directory, error) {
	held, err := report.Open(directory)
	if err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	if IsExploration(held.Path()) {
		return held, nil
	}
	others, err := os.ReadDir(held.Path())
	if slices.ContainsFunc(others, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), ".") }) {
		err = fmt.Errorf("%s has another report: remove it, or choose another directory (--report)", held.Path())
	}
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return held, nil
}

// quiet returns the quiet run, in which all invariants must hold.
func (c Config) quiet(ctx context.Context) (Quiet, error) {
	q, err := c.Subject.Quiet(ctx, c.Seed)
	if err != nil {
		return q, err
	}
	outcomes, err := c.Subject.Try(ctx, []Run{{Seed: c.Seed}}, "")
	switch {
	case err != nil:
		return q, err
	case outcomes[0].Trouble != "":
		return q, fmt.Errorf("the quiet run shows nothing: %s", outcomes[0].Trouble)
	case len(outcomes[0].Violations) > 0:
		v := outcomes[0].Violations[0]
		return q, fmt.Errorf("without any fault: %s: %s: an exploration begins with a run that holds", v.Invariant, v.Says)
	}
	return q, nil
}

// make makes the batches that are wanted and not there yet, as many at once as there are cores.
// It returns the outcomes of all that are there then; the error is that of the context, or of
// what kept a batch from being kept, and then there are none.
func (c Config) make(ctx context.Context, w *work) (map[int][]Outcome, error) {
	all, err := w.read()
	if err != nil {
		return nil, err
	}
	var missing []int
	m := &making{Config: c, sorts: map[string]bool{}, all: all}
	for number := range w.Batches {
		if c.Shard != nil && !c.Shard.has(number) {
			delete(all, number)
			continue
		}
		runs := w.Plan.batch(number)
		m.Wanted += len(runs)
		if outcomes, ok := all[number]; ok {
			m.count(runs, outcomes)
			continue
		}
		missing = append(missing, number)
	}
	m.Begun = m.Made
	m.tell()
	if c.For > 0 {
		var end context.CancelFunc
		m.enough, end = context.WithTimeout(ctx, c.For)
		defer end()
	} else {
		m.enough = ctx
	}
	err = virtual.SideBySide(ctx, len(missing), 0, func(ctx context.Context, i int) error {
		if m.enough.Err() != nil {
			return nil
		}
		runs := w.Plan.batch(missing[i])
		outcomes, err := c.try(ctx, runs)
		if err != nil {
			return err
		}
		if err := w.keep(missing[i], outcomes); err != nil {
			return err
		}
		m.made(missing[i], runs, outcomes)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return all, context.Cause(ctx)
}

// making is the state of an exploration while batches are made.
type making struct {
	Config
	enough context.Context // ends when no batch is to be begun any more
	sync.Mutex
	Progress
	all   map[int][]Outcome
	sorts map[string]bool // of violations, that were told
}

// made takes a batch that was made.
func (m *making) made(number int, runs []Run, outcomes []Outcome) {
	m.Lock()
	defer m.Unlock()
	m.all[number] = outcomes
	m.count(runs, outcomes)
	m.tell()
}

// count counts a batch, and tells violations of a new sort.
func (m *making) count(runs []Run, outcomes []Outcome) {
	m.Made += len(runs)
	for i, o := range outcomes {
		if len(o.Violations) > 0 {
			m.Broken++
		}
		for _, v := range o.Violations {
			if !m.sorts[v.Invariant] {
				m.sorts[v.Invariant] = true
				m.New, m.Run = &v, runs[i]
				m.tell()
				m.New = nil
			}
		}
	}
}

func (m *making) tell() {
	if m.Config.Progress != nil {
		m.Config.Progress(m.Progress)
	}
}

// try makes the runs of a batch. A guest that dies takes the outcomes of all its runs with it:
// they are made again one by one, and the trouble is that of the runs whose guests die again.
func (c Config) try(ctx context.Context, batch []Run) ([]Outcome, error) {
	outcomes, err := c.Subject.Try(ctx, batch, "")
	if err == nil && len(outcomes) != len(batch) {
		err = fmt.Errorf("%d runs had %d outcomes", len(batch), len(outcomes))
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil:
		return outcomes, nil
	case len(batch) == 1:
		return []Outcome{{Trouble: oneLine(err)}}, nil
	}
	outcomes = nil
	for _, run := range batch {
		one, err := c.try(ctx, []Run{run})
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, one...)
	}
	return outcomes, nil
}

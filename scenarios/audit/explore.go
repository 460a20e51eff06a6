package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// Explored is the program of a request, and its peer, as the subject of an exploration. Open
// it with OpenExplored. Its methods may be called by any goroutine.
type Explored struct {
	*equipment
}

// OpenExplored prepares a request's programs for an exploration: it checks the request, and
// finds the programs and the guest's kernel, once for all runs.
func OpenExplored(ctx context.Context, r Request) (*Explored, error) {
	if err := errors.Join(r.Check(), r.checkExplored()); err != nil {
		return nil, err
	}
	r = r.completed()
	if err := r.checkHere(); err != nil {
		return nil, err
	}
	e, err := equipped(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Explored{e}, nil
}

// checkExplored reports what an audit can measure and an exploration cannot.
func (r Request) checkExplored() error {
	r = r.completed()
	switch {
	case r.RealTime:
		return errors.New("an exploration needs virtual time: leave out --host")
	case r.Protocol == SCTP:
		return errors.New("an exploration is of TCP: leave out --protocol")
	case r.Family == IPv6 || r.Family == Both:
		return errors.New("an exploration is over IPv4: leave out --family")
	case !r.betweenPrograms() && !r.asks():
		return errors.New("there is nothing that could get lost: say what the fixture asks or answers (--conversation, --send)")
	}
	return r.Explore.check()
}

// order is what the exploring process in a guest does: a plan, and the runs of a batch.
type order struct {
	Plan  plan
	Batch []explore.Run
	Keep  bool // the only run's packets, timeline and ladder are kept
}

// results are what the exploring process returns.
type results struct {
	Quiet    explore.Quiet
	Outcomes []explore.Outcome
	Late     []harness.Taken // of each strike and heal
	Trouble  string          // why nothing was run; empty: it was
}

// The names of the files in the report of the exploring process.
const (
	resultsFile = "explored.json"
	keptFiles   = "run" // with the endings of a trial's files
)

// Quiet implements explore.Subject.
func (e *Explored) Quiet(ctx context.Context, seed uint64) (explore.Quiet, error) {
	r, err := e.try(ctx, seed, nil, "")
	if err != nil {
		return explore.Quiet{}, err
	}
	r.Quiet.Precision = precision
	r.Quiet.Of, err = e.identity()
	return r.Quiet, err
}

// precision is more than how late a strike is, at most 21 µs, and what it takes: 507 µs for RST to both
// ends, which is the slowest (docs/explore-findings.md).
const precision = 600 * time.Microsecond

// Faults are the faults that strike unless others are asked for: those of the request, or those
// of every subject and those that a program alone can meet.
func (e *Explored) Faults() []string {
	if len(e.request.Explore.Faults) > 0 {
		return e.request.Explore.Faults
	}
	return append(explore.DefaultFaults(),
		scenarios.ProcessRestarted{Away: time.Second}.Title(),
		scenarios.ProcessStopped{}.Title(),
		scenarios.ResetBothEnds{}.Title(),
	)
}

// Healed are the times after which faults are healed unless others are asked for; empty: those of
// package explore.
func (e *Explored) Healed() []time.Duration { return e.request.Explore.Healed }

// Try implements explore.Subject. All runs of a batch have one seed, that of their guest.
func (e *Explored) Try(ctx context.Context, batch []explore.Run, keep string) ([]explore.Outcome, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	for _, run := range batch {
		if run.Seed != batch[0].Seed {
			return nil, fmt.Errorf("trying %d runs: their seeds differ, and a guest has one", len(batch))
		}
		if _, err := e.request.blows(run); err != nil {
			return nil, err
		}
	}
	r, err := e.try(ctx, batch[0].Seed, batch, keep)
	return r.Outcomes, err
}

// try makes the quiet run and those of a batch in a guest of their own.
func (e *Explored) try(ctx context.Context, seed uint64, batch []explore.Run, keep string) (found results, err error) {
	into, err := os.MkdirTemp("", "halfopen-explore-")
	if err != nil {
		return results{}, fmt.Errorf("making room for what runs leave behind: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(into)) }()
	output := &stream{each: func(Progress) {}}
	one, err := e.guest(exploring, order{Plan: e.plan, Batch: batch, Keep: keep != ""}, seed, into, output)
	if err != nil {
		return results{}, err
	}
	result, err := one.Run(ctx)
	if err != nil {
		return results{}, fmt.Errorf("exploring: %w", err)
	}
	content, err := os.ReadFile(filepath.Join(into, resultsFile))
	if err != nil {
		return results{}, fmt.Errorf("exploring: the process in the guest ended with status %d and left no results (it printed: %s)", result.Status(), output.other())
	}
	if err := json.Unmarshal(content, &found); err != nil {
		return results{}, fmt.Errorf("reading the results of a batch: %w", err)
	}
	if found.Trouble != "" {
		return results{}, errors.New(found.Trouble)
	}
	if keep != "" {
		return found, keepRun(into, keep)
	}
	return found, nil
}

// keepRun moves what shows how a run went from a report into a directory.
func keepRun(report, keep string) error {
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return fmt.Errorf("keeping what a run has left: %w", err)
	}
	for ending, name := range map[string]string{".pcapng": explore.PacketsFile, ".txt": explore.TimelineFile, ".json": ladder.File} {
		content, err := os.ReadFile(filepath.Join(report, keptFiles+ending))
		if err != nil {
			return fmt.Errorf("keeping what a run has left: %w", err)
		}
		if err := atomicfile.WriteFile(filepath.Join(keep, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

package explore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// mostShrunk is how many findings are made smaller. Each takes some ten to twenty guests, and
// nobody reads more at once: with the worst ones mended, explore again.
const mostShrunk = 20

// shrinkAll makes the worst findings smaller, and keeps the story of each. The error is that of
// the context, or of what could not be kept.
func (c Config) shrinkAll(ctx context.Context, w *work, e *Explored) error {
	n := min(len(e.Findings), mostShrunk)
	done, telling := 0, sync.Mutex{}
	state := Progress{Made: e.Made, Wanted: e.Wanted, Begun: e.Made, Broken: e.Broken, Findings: n}
	tell := func() {
		telling.Lock()
		defer telling.Unlock()
		state.Shrinking = done
		done++
		if c.Progress != nil {
			c.Progress(state)
		}
	}
	if n > 0 {
		tell()
	}
	err := virtual.SideBySide(ctx, n, 0, func(ctx context.Context, i int) error {
		s := shrinking{Config: c, work: w, finding: &e.Findings[i]}
		if err := s.shrink(ctx, e, path.Join(findingsDir, e.Findings[i].name(i))); err != nil {
			return err
		}
		tell()
		return nil
	})
	if err == nil {
		err = removeOthers(filepath.Join(w.directory, findingsDir), e.Findings)
	}
	return err
}

// name returns the name of the directory of a finding.
func (f *Finding) name(place int) string {
	return fmt.Sprintf("%02d-%s", place+1, notInNames.ReplaceAllString(strings.ToLower(f.Invariant+" "+f.Fault), "-"))
}

// notInNames matches what file names do not have.
var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// removeOthers removes the stories of findings that there are no more.
func removeOthers(directory string, findings []Finding) error {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if !slices.ContainsFunc(findings, func(f Finding) bool { return path.Base(f.Kept) == entry.Name() }) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(directory, entry.Name())))
		}
	}
	return err
}

// shrinking makes a finding smaller.
type shrinking struct {
	Config
	work    *work
	finding *Finding
}

// findingFile is what came of a finding that was made smaller, beside its story.
const findingFile = "finding.json"

// shrink makes a finding smaller, and keeps its story in a directory below that of the
// exploration. One that was made smaller before is not again.
func (s *shrinking) shrink(ctx context.Context, e *Explored, kept string) error {
	f := s.finding
	directory := filepath.Join(s.work.directory, kept)
	file := filepath.Join(directory, findingFile)
	var before Finding
	if content, err := os.ReadFile(file); err == nil && json.Unmarshal(content, &before) == nil &&
		before.Kept == kept && before.Runs == f.Runs && reflect.DeepEqual(before.First, f.First) && before.Invariant == f.Invariant {
		*f = before
		return nil
	}
	if err := errors.Join(os.RemoveAll(directory), os.MkdirAll(directory, 0o755)); err != nil {
		return fmt.Errorf("making room for the story of a finding: %w", err)
	}
	run := f.First
	if !s.work.Plan.Chosen { // a run that the user has chosen stays as it is
		var err error
		if run, err = s.smaller(ctx, e); err != nil {
			return err
		}
	}
	v, err := s.breaks(ctx, run, directory)
	f.set(run, e.Quiet)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		f.Trouble = oneLine(err)
		return nil
	}
	if f.Kept = kept; v != nil {
		f.Alone, f.Violation = true, *v
	}
	return writeJSON(file, f)
}

// breaks makes a run alone in a guest of its own, and returns the violation of the finding's
// invariant; nil: it holds. The error is of a guest that shows nothing.
func (s *shrinking) breaks(ctx context.Context, run Run, keep string) (*Violation, error) {
	outcomes, err := s.Subject.Try(ctx, []Run{run}, keep)
	switch {
	case err != nil:
		return nil, err
	case len(outcomes) != 1:
		return nil, fmt.Errorf("one run has %d outcomes", len(outcomes))
	case outcomes[0].Trouble != "":
		return nil, errors.New(outcomes[0].Trouble)
	}
	for _, v := range outcomes[0].Violations {
		if v.Invariant == s.finding.Invariant && sortOf(v.Says) == sortOf(s.finding.Says) {
			return &v, nil
		}
	}
	return nil, nil
}

// The times after which a fault is healed, and the steps of instants, that are round.
var (
	roundHealed = []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute}
	roundSteps  = []time.Duration{time.Minute, 10 * time.Second, time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond, 100 * time.Microsecond, 10 * time.Microsecond, time.Microsecond}
)

// smaller returns the smallest run that it finds: the fault is healed sooner, and strikes at a
// rounder and earlier instant.
func (s *shrinking) smaller(ctx context.Context, e *Explored) (Run, error) {
	run := s.finding.First
	if v, _ := s.breaks(ctx, run, ""); v == nil {
		return run, context.Cause(ctx)
	}
	// better takes a run that breaks the invariant, too. One whose guest dies does not.
	better := func(change func(*Strike)) (bool, error) {
		candidate := run
		candidate.Strikes = slices.Clone(run.Strikes)
		change(&candidate.Strikes[0])
		v, _ := s.breaks(ctx, candidate, "")
		if v == nil {
			return false, context.Cause(ctx)
		}
		run = candidate
		return true, nil
	}
	for _, healed := range roundHealed {
		if healed >= run.Strikes[0].Healed {
			break
		}
		if ok, err := better(func(s *Strike) { s.Healed = healed }); ok || err != nil {
			if err != nil {
				return run, err
			}
			break
		}
	}
	from, to := s.window(e)
	for _, step := range roundSteps {
		at := run.Strikes[0].At
		earliest := (from + step - 1) / step * step
		for _, rounder := range slices.Compact([]time.Duration{earliest, at - at%step, at + step - at%step}) {
			if rounder < from || rounder >= to || rounder == at || at%step == 0 && rounder > at {
				continue
			}
			ok, err := better(func(s *Strike) { s.At = rounder })
			if err != nil {
				return run, err
			}
			if ok {
				return run, nil
			}
		}
		if at%step == 0 {
			break
		}
	}
	return run, nil
}

// window returns the instants between which the finding's first run lies, from that after the
// last run before it that held until the first after it that held, with its fault and time.
func (s *shrinking) window(e *Explored) (from, to time.Duration) {
	strike := s.finding.First.Strikes[0]
	row := e.Rows[slices.IndexFunc(e.Rows, func(r Row) bool { return r.Way == Way{strike.Fault, strike.Healed} })]
	at := slices.Index(e.Instants, strike.At)
	if held := strings.LastIndexByte(row.Cells[:at], Held); held >= 0 {
		from = e.Instants[held] + 1
	}
	to = longest
	if held := strings.IndexByte(row.Cells[at:], Held); held >= 0 {
		to = e.Instants[at+held]
	}
	return from, to
}

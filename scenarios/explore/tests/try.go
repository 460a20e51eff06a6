package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// Quiet implements explore.Subject. It is an error if the test does not pass.
func (s *Subject) Quiet(ctx context.Context, seed uint64) (explore.Quiet, error) {
	q, _, err := s.quiet(ctx, seed)
	return q, err
}

// DefaultFaults returns the faults that strike unless others are asked for: those of the path, and
// those of a firewall where the lab of the quiet run has one.
func (s *Subject) DefaultFaults(ctx context.Context, seed uint64) ([]string, error) {
	_, left, err := s.quiet(ctx, seed)
	if err != nil {
		return nil, err
	}
	faults := []string{
		scenarios.SilentDrop{}.Title(),
		scenarios.SilentDrop{Direction: scenarios.TowardsServer}.Title(),
		scenarios.SilentDrop{Direction: scenarios.TowardsClient}.Title(),
	}
	if left.Firewall {
		faults = append(faults, scenarios.StateFlush{Then: firewall.ResetSender}.Title(), scenarios.ResetBothEnds{}.Title())
	}
	return faults, nil
}

// CheckFaults reports, in one line, the first fault that cannot strike a test.
func CheckFaults(titles []string) error {
	for _, title := range titles {
		if err := scenarios.CheckStriking(title); err != nil {
			return fmt.Errorf("%w (--fault)", err)
		}
	}
	return nil
}

// precision is how long a strike takes at most, in virtual time: most of it goes into starting
// iptables.
const precision = 5 * time.Millisecond

func (s *Subject) quiet(ctx context.Context, seed uint64) (q explore.Quiet, left *harness.Explored, err error) {
	into, err := os.MkdirTemp("", "halfopen-explore-")
	if err != nil {
		return q, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(into)) }()
	all, err := s.run(ctx, []explore.Run{{Seed: seed}}, into, true)
	if err != nil {
		return q, nil, err
	}
	if left, err = explored(all[0]); err != nil {
		return q, nil, err
	}
	o := outcome(all[0], left)
	switch {
	case o.Trouble != "":
		return q, nil, fmt.Errorf("%s, without a fault: %s", s.unit.Name, o.Trouble)
	case len(o.Violations) > 0:
		return q, nil, fmt.Errorf("%s fails without a fault, on cables that take %v (--cable-delay): %s", s.unit.Name, s.test.CableDelay, o.Violations[0].Says)
	case len(left.Events) == 0:
		return q, nil, fmt.Errorf("%s sends no packet of TCP or SCTP through its first lab: there is nothing that a fault could strike", s.unit.Name)
	}
	first := ""
	if left.Labs > 1 {
		first = fmt.Sprintf(", the first of its %d labs", left.Labs)
	}
	q = explore.Quiet{Lasted: left.Lasted, Precision: precision, Of: fmt.Sprintf("%s %s%s, flags %q, environment %q, cables of %v, limit %v, %s",
		s.unit.Package, s.unit.Name, first, s.test.Flags, s.test.Environment, s.test.CableDelay, s.test.Limit, s.virtual.Identity())}
	for _, h := range left.Events {
		if h.At >= 0 {
			q.Events = append(q.Events, explore.Event{At: h.At, What: h.What})
		}
	}
	return q, left, nil
}

// Try implements explore.Subject. All runs of a batch have one seed, that of their guest.
func (s *Subject) Try(ctx context.Context, batch []explore.Run, keep string) (outcomes []explore.Outcome, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	into, err := os.MkdirTemp("", "halfopen-explore-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(into)) }()
	all, err := s.run(ctx, batch, into, keep != "")
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		left, err := explored(one)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, outcome(one, left))
	}
	if keep == "" {
		return outcomes, nil
	}
	return outcomes, keepRun(all[0].Directory, keep)
}

// run makes runs in a guest, and leaves what they have left in a directory. With story, their
// labs tell their stories.
func (s *Subject) run(ctx context.Context, batch []explore.Run, into string, story bool) ([]gotest.Ran, error) {
	again := gotest.Again{Seed: batch[0].Seed, Limit: 2 * s.test.Limit, Into: into}
	for _, r := range batch {
		if r.Seed != again.Seed {
			return nil, fmt.Errorf("%d runs are to be made in one guest, and their seeds differ", len(batch))
		}
		strikes, err := strikesOf(r)
		if err != nil {
			return nil, err
		}
		e := &environment.Exploration{CableDelay: s.test.CableDelay, Limit: s.test.Limit, Strikes: strikes, Story: story}
		again.Runs = append(again.Runs, []string{e.Variable()})
	}
	return s.virtual.Again(ctx, again)
}

// strikesOf returns the strikes of a run as labs want them. A fault that ends by itself is healed.
func strikesOf(r explore.Run) (all []environment.Strike, err error) {
	for _, strike := range r.Strikes {
		if err := scenarios.CheckStriking(strike.Fault); err != nil {
			return nil, err
		}
		f, err := scenarios.Parse(strike.Fault)
		if err != nil {
			return nil, err
		}
		if ending, ends := f.(scenarios.Ending); ends && strike.Healed == 0 {
			strike.Healed = ending.Lasts()
		}
		all = append(all, environment.Strike{Fault: strike.Fault, At: strike.At, Healed: strike.Healed})
	}
	return all, nil
}

// explored reads what the lab of a run has left; nil: the test has opened none.
func explored(run gotest.Ran) (*harness.Explored, error) {
	content, err := os.ReadFile(filepath.Join(run.Directory, harness.ExploredFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	left := &harness.Explored{}
	if err := json.Unmarshal(content, left); err != nil {
		return nil, fmt.Errorf("reading what an explored lab has left: %w", err)
	}
	return left, nil
}

// keepRun copies what shows how a run went into a directory.
func keepRun(from, keep string) error {
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return fmt.Errorf("keeping what a run has left: %w", err)
	}
	for _, name := range []string{ladder.File, "timeline.txt", "packets.pcapng"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return fmt.Errorf("keeping what a run has left: %w", err)
		}
		if err := atomicfile.WriteFile(filepath.Join(keep, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// inOneLine returns a text without line breaks, shortened to what one reads in a table.
func inOneLine(text string) string {
	const most = 300
	line := strings.Join(strings.Fields(text), " ")
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + " …"
	}
	return line
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore/seeds"
)

// seedsReport is the report directory of a comparison of seeds.
const seedsReport = "halfopen-seeds"

// seeding is the flags of halfopen explore seeds.
type seeding struct {
	subject
	list  string
	trial string // the fault or preset; audit.QuietConnection: none
}

func exploreSeedsCommand() *cobra.Command {
	s := &seeding{}
	c := &cobra.Command{
		Use:   "seeds [FAULT]",
		Short: "What is by chance: does the same trial end alike with other seeds?",
		Long: `Makes the same trial of a program again and again, each time with another seed: other turns of
the scheduler, other ports, other losses. Runs that are equal form a group; of each other group it
shows both timelines from the first difference. The trial is a fault or a preset, as halfopen run
has it, or without one the quiet connection.

` + seeds.Counts + `

Exit status 0: all are alike; 1: they differ; 2: they could not be made.`,
		Example: `  halfopen explore seeds "host powered off" --client "./myclient {server}:{port}" --port 5000
  halfopen explore seeds "loss of 10 %, busy" -f halfopen.yaml --seeds 1-64`,
		Args: commandline.AtMostOne("fault"),
		RunE: func(c *cobra.Command, names []string) error {
			if err := errors.Join(s.exclusive(c), commandline.Exclusive(c.Flags(), "seed", "--seeds says with which seeds", "seeds")); err != nil {
				return err
			}
			if c.Flags().Changed("seed") {
				return errors.New("one seed compares nothing: --seeds 1-8 says with which (--seed)")
			}
			s.trial = audit.QuietConnection
			if len(names) > 0 {
				s.trial = names[0]
			}
			return s.run(c.Context())
		},
	}
	s.flags(c, seedsReport)
	c.Flags().StringVar(&s.list, "seeds", "1-8", "the seeds: FROM-TO, or a list with commas")
	return c
}

func (s *seeding) run(ctx context.Context) (err error) {
	list, err := seeds.Parse(s.list)
	if err != nil {
		return fmt.Errorf("%w (--seeds)", err)
	}
	if err := s.read(ctx); err != nil {
		return err
	}
	s.request.Only = []string{s.trial}
	if unknown, ok := errors.AsType[*audit.UnknownName](s.request.Check()); ok {
		return explainUnknown(unknown, []string{s.trial})
	}
	if err := s.request.Check(); err != nil {
		return err
	}
	if s.request.RealTime {
		return errors.New("chance is a guest's: on the running kernel no seed decides it: leave out --host")
	}
	held, err := report.Open(s.request.Report)
	if err != nil {
		return fmt.Errorf("%w (--report)", err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := held.Empty(); err != nil {
		return fmt.Errorf("%w (--report)", err)
	}
	runs, err := s.runs(ctx, list)
	if err != nil {
		return err
	}
	result := &seeds.Result{Trial: s.trial, Groups: seeds.Compare(runs)}
	if err := printFound(os.Stdout, result, s.asJSON); err != nil {
		return err
	}
	if len(result.Groups) > 1 {
		return errBroken
	}
	return nil
}

// runs makes the runs, as many at once as there are cores, and returns them in the order of their
// seeds.
func (s *seeding) runs(ctx context.Context, list []uint64) ([]seeds.Run, error) {
	runs := make([]seeds.Run, len(list))
	var telling sync.Mutex
	made, began := 0, time.Now()
	err := virtual.SideBySide(ctx, len(list), 0, func(ctx context.Context, i int) (err error) {
		if runs[i], err = s.once(ctx, list[i]); err != nil {
			return err
		}
		telling.Lock()
		defer telling.Unlock()
		made++
		fmt.Fprintf(os.Stderr, "halfopen: seed %d: %d of %d runs, %.1f a second\n", list[i], made, len(list), float64(made)/time.Since(began).Seconds())
		return nil
	})
	return runs, err
}

// once makes the run of a seed. What keeps the trial from being measured is a trouble of the run:
// with another seed it may be measured.
func (s *seeding) once(ctx context.Context, seed uint64) (run seeds.Run, err error) {
	r := s.request
	r.Seed, r.Progress = seed, nil
	r.Report = filepath.Join(s.request.Report, fmt.Sprintf("seed-%d", seed))
	found, err := audit.Run(ctx, r)
	if err != nil {
		return run, explainPackage(err)
	}
	run.Seed = seed
	capture := audit.QuietCapture
	switch trial := s.trialOf(found); {
	case s.trial == audit.QuietConnection:
		run.Outcome = quietOutcome(found)
	case trial == nil:
		run.Trouble = "the answer has no " + s.trial
		return run, nil
	default:
		run.Outcome, capture, run.Trouble = trial.words, trial.capture, trial.trouble
	}
	if run.Trouble != "" {
		run.Outcome = ""
		return run, nil
	}
	content, err := os.ReadFile(filepath.Join(r.Report, answer.LadderOf(capture)))
	if err != nil {
		return run, fmt.Errorf("reading the ladder of seed %d: %w", seed, err)
	}
	run.Ladder, err = ladder.Parse(content)
	return run, err
}

// rowOf is the row of a trial in an answer.
type rowOf struct{ words, capture, trouble string }

// trialOf returns the row of the trial; nil: there is none.
func (s *seeding) trialOf(found *answer.Answer) *rowOf {
	if len(found.Faults) > 0 {
		f := found.Faults[0]
		if f.Verdict == answer.Unmeasured {
			return &rowOf{trouble: f.Reason()}
		}
		return &rowOf{words: f.Words(), capture: f.Capture}
	}
	for _, p := range found.Presets {
		if p.Capture != "" {
			return &rowOf{words: p.Outcome + ": " + p.Why, capture: p.Capture}
		}
	}
	return nil
}

// quietOutcome returns what became of the quiet connection, in words.
func quietOutcome(a *answer.Answer) string {
	switch {
	case a.Wire.Ended != nil:
		return fmt.Sprintf("the program %s after %v", a.Wire.Ended.What, a.Wire.Ended.After)
	case a.Wire.EndedByPeer != nil:
		return fmt.Sprintf("the peer ends it (%s) after %v", a.Wire.EndedByPeer.What, a.Wire.EndedByPeer.After)
	}
	return fmt.Sprintf("alive after %v", a.Watched)
}

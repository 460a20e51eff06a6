package gotest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Settings are those of one run. The zero value runs all tests that were chosen, with the
// seed 0, and tells nobody how they come along.
type Settings struct {
	// Seed decides the order of Ginkgo's specs, and in virtual time everything random.
	Seed int64
	// Environment is added to that of the tests: NAME=VALUE.
	Environment []string
	// Lab is what the tests' labs go by. The run itself decides Report, VirtualTime and
	// Private.
	Lab environment.Settings
	// Only chooses some of the units. Nil: all run.
	Only func(shard.Unit) bool
	// Shard is the one shard that runs, from 1 to shard.Count, and leaves its part of the
	// report. Zero: all run. It is for virtual time alone.
	Shard int
	// AtOnce is how many guests, or on the running kernel how many packages, run at once.
	// Zero: as many as there are cores. It changes no byte of the report of virtual time.
	AtOnce int
	// Output receives how the run comes along; a terminal also gets a line that changes.
	// Nil: nobody is told.
	Output   io.Writer
	Terminal bool
	// Ended is called when a unit has ended. Nil: it is not.
	Ended func()
}

// Run runs the tests in guests, and writes the report into a directory, which must be
// there. If the run is of one shard, that is the shard's part, for Merge.
//
// Tests that fail are no error. When ctx ends, the tests that run are asked to end; the
// report has what they have shown, and the error is ctx's.
func (v *Virtual) Run(ctx context.Context, s Settings, directory string) (*Report, error) {
	r, err := v.prepare(s)
	if err != nil {
		return nil, err
	}
	if s.Shard != 0 && len(v.tests.unbuilt) > 0 {
		return nil, fmt.Errorf("a shard takes all tests, and %s does not compile: %s", v.tests.unbuilt[0].SuitePath, v.tests.unbuilt[0].SpecialSuiteFailureReasons[0])
	}
	if s.Shard != 0 {
		return r.one(ctx, directory)
	}
	parts := filepath.Join(directory, "parts")
	defer func() { _ = os.RemoveAll(parts) }()
	began := time.Now()
	results, runErr := r.all(ctx, parts)
	took := total(v.machine.Kernel(), time.Since(began).Seconds(), figures(results))
	if runErr != nil && ctx.Err() == nil {
		return nil, runErr
	}
	var directories, missing []string
	for _, one := range results {
		switch {
		case one.reported:
			directories = append(directories, one.directory)
		case one.Tests > 0:
			missing = append(missing, fmt.Sprintf("shard %d/%d left no report", one.Shard, shard.Count))
		default:
			missing = append(missing, fmt.Sprintf("shard %d/%d did not run", one.Shard, shard.Count))
		}
	}
	if len(directories) == 0 {
		return nil, context.Cause(ctx) // it came before there was anything to report
	}
	opened, err := shard.Open(directories...)
	if err != nil {
		return nil, err
	}
	suites, err := shard.Join(directory, opened, missing...)
	if err != nil {
		return nil, err
	}
	if len(v.tests.unbuilt) > 0 {
		suites = append(suites, v.tests.unbuilt...)
		if err := shard.Write(directory, suites); err != nil {
			return nil, err
		}
	}
	return &Report{Suites: suites, Took: took, untested: v.tests.untested, virtual: true, directory: directory}, errors.Join(took.write(directory), runErr)
}

// virtualRun is one run in guests.
type virtualRun struct {
	*Virtual
	settings Settings
	list     shard.List // what of the list runs
	shards   [shard.Count][]int
	run      shard.Run
	progress *progress
}

// prepare fixes what a run consists of.
func (v *Virtual) prepare(s Settings) (*virtualRun, error) {
	r := &virtualRun{Virtual: v, settings: s, list: v.chosen(s), shards: v.shards}
	if s.Only != nil {
		r.shards = r.list.Assign()
	}
	if len(r.list) == 0 {
		return nil, errors.New("no test is chosen")
	}
	r.run = shard.Run{
		Seed: s.Seed, Focus: v.tests.focus, Flags: v.tests.flags.all(), LeaveOut: s.Lab.LeaveOut, Environment: slices.Concat(v.config.Environment, s.Environment),
		Kernel: v.machine.Kernel(), Memory: v.memory, Programs: v.digest,
	}
	units := len(r.list)
	if s.Shard != 0 {
		units = len(r.shards[s.Shard-1])
	}
	r.progress = newProgress(s, units*v.tests.flags.count)
	return r, nil
}

// one runs one shard.
func (r *virtualRun) one(ctx context.Context, directory string) (*Report, error) {
	defer r.progress.clear()
	result, err := r.shard(ctx, r.settings.Shard, directory)
	if err != nil && (ctx.Err() == nil || !result.reported) {
		return nil, err
	}
	report := &Report{Took: total(r.machine.Kernel(), result.Wall, figures([]shardResult{result})), untested: r.tests.untested, virtual: true, directory: directory}
	if result.Tests > 0 {
		var readErr error
		report.Suites, readErr = shard.Read(directory)
		err = cmp.Or(err, readErr)
	}
	return report, errors.Join(report.Took.write(directory), err)
}

// all runs the shards that have units. After the first error, which it returns, the other
// guests still hand their reports out.
func (r *virtualRun) all(ctx context.Context, parts string) ([]shardResult, error) {
	defer r.progress.clear()
	var results []shardResult
	for i, places := range r.shards {
		if len(places) > 0 {
			results = append(results, shardResult{Figures: Figures{Shard: i + 1}})
		}
	}
	return results, virtual.SideBySide(ctx, len(results), r.settings.AtOnce, func(ctx context.Context, i int) (err error) {
		n := results[i].Shard
		results[i], err = r.shard(ctx, n, filepath.Join(parts, fmt.Sprint(n)))
		return err
	})
}

// shardResult is what has come of a shard.
type shardResult struct {
	Figures
	directory string // of its report
	reported  bool   // also where it was interrupted
}

func figures(results []shardResult) []Figures {
	all := []Figures{}
	for _, r := range results {
		if r.Tests > 0 {
			all = append(all, r.Figures)
		}
	}
	return all
}

// shard runs a shard and leaves its part in a directory. The error is the context's where
// that has ended.
func (r *virtualRun) shard(ctx context.Context, n int, directory string) (shardResult, error) {
	places := r.shards[n-1]
	result := shardResult{Figures: Figures{Shard: n, Tests: len(places)}, directory: directory}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return result, err
	}
	part := shard.Part{Shard: n, Places: places, Run: r.run}
	if len(places) == 0 {
		_, err := part.Write(directory, r.list, nil)
		return result, err
	}
	starts := r.tests.starts(r.listing, r.list, places, start{seed: r.settings.Seed, into: handedOut, timeout: noTimeout})
	one := r.guest(r.list.Suites(places), r.commands(starts))
	one.Seed, one.Memory, one.Into, one.Console = uint64(r.settings.Seed), r.memory, directory, r.progress.console()
	one.Settings, one.Environment = r.settings.Lab, r.run.Environment
	guestResult, runErr := one.Run(ctx)
	result.add(guestResult)
	if runErr != nil && ctx.Err() == nil {
		return result, fmt.Errorf("shard %d/%d: %w", n, shard.Count, runErr)
	}
	suites, err := r.tests.reports(outcomes(starts, guestResult.Commands, directory))
	if err == nil {
		_, err = part.Write(directory, r.list, suites)
	}
	if err == nil {
		err = os.RemoveAll(filepath.Join(directory, startsDirectory))
	}
	result.reported = err == nil
	if ctx.Err() != nil {
		return result, context.Cause(ctx)
	}
	if err != nil {
		return result, fmt.Errorf("shard %d/%d: %w", n, shard.Count, err)
	}
	r.progress.shardEnded(result.Figures, suites)
	return result, nil
}

// commands start the test binaries in the guest.
func (r *virtualRun) commands(starts []start) (commands []guest.Command) {
	for _, s := range starts {
		commands = append(commands, r.command(s.suite, s.into, r.tests.arguments(s)))
	}
	return commands
}

// noTimeout is longer than any run: virtual hours pass quickly.
const noTimeout = 10 * 365 * 24 * time.Hour

// starts are the starts of the suites that have units at some places. What they have in
// common is like: the first seed, and the directory below which each gets one.
func (t *Tests) starts(l listing, list shard.List, places []int, like start) (starts []start) {
	for _, id := range list.Suites(places) {
		s := like
		s.suite, s.description = t.suite(id), cmp.Or(l.descriptions[id], id.Package)
		for _, place := range list.Of(id, places) {
			s.units = append(s.units, list[place])
		}
		for round := range t.flags.count {
			s.seed = like.seed + int64(round)
			s.into = path.Join(like.into, startsDirectory, fmt.Sprint(len(starts)))
			starts = append(starts, s)
		}
	}
	return starts
}

// startsDirectory has the directories of the starts, and is gone from a finished report.
const startsDirectory = "starts"

// outcomes are what has come of the starts in a guest.
func outcomes(starts []start, ended []guest.Ended, directory string) (all []outcome) {
	for i, s := range starts {
		o := outcome{start: s, files: filepath.Join(directory, startsDirectory, path.Base(s.into)), missed: i >= len(ended)}
		if !o.missed {
			o.status, o.began, o.took = ended[i].Status, ended[i].Began, ended[i].Took
		}
		all = append(all, o)
	}
	return all
}

// Package suite runs the behaviour suites, in virtual time or on the running kernel
// or both, and sums the run up: a line for each family, the behaviours that were
// shown, what failed and where its evidence is, and how long it took beside how long
// it would have taken one spec after another. After both it says where each spec ran,
// and fails when one ran nowhere.
//
// It exits with 0 if all that was to run ran and passed, with 1 if specs failed or ran
// nowhere, and with 2 if it could not run them. An interrupted run is summed up as far
// as it came, and exits with 2.
package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	flag "github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scenarios/page"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// Command is the command suite.
func Command(ctx context.Context, arguments []string) (passed bool, err error) {
	s := suites.Settings{Output: os.Stdout, Terminal: term.IsTerminal(int(os.Stdout.Fd())), LeaveOut: environment.Read().LeaveOut}
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	on := flags.String("on", inVirtualTime, "the executors: virtual, host, or host,virtual")
	one := flags.String("shard", "", fmt.Sprintf("in virtual time: runs one shard, as in 3/%d, and leaves its part of the report", shard.Count))
	flags.BoolVar(&s.Record, "record", false, "the detection matrix is measured in virtual time, and becomes the committed one")
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the report; the one of an earlier run is replaced")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	executors, err := executorsOf(*on)
	if err != nil {
		return false, err
	}
	if err := check(&s, *on, *one); err != nil {
		return false, err
	}
	held, err := report.Open(s.Report)
	if err == nil {
		defer func() { err = errors.Join(err, held.Close()) }()
		err = held.Empty()
	}
	if err != nil {
		return false, fmt.Errorf("%w (REPORT)", err)
	}
	passed = true
	var outcomes []*outcome
	for _, e := range executors {
		each := s
		if len(executors) > 1 {
			each.Report = filepath.Join(s.Report, e)
			if err := os.Mkdir(each.Report, 0o755); err != nil {
				return false, err
			}
		}
		o, err := runOn(ctx, e, each)
		if err != nil {
			return false, err
		}
		well, err := show(ctx, each, o)
		if err != nil {
			return false, err
		}
		passed = passed && well
		outcomes = append(outcomes, o)
	}
	if len(outcomes) > 1 {
		everywhere, err := compare(os.Stdout, s.Report, outcomes)
		return passed && everywhere, err
	}
	return passed, nil
}

// check completes the settings, or says in one line what in them makes no sense.
func check(s *suites.Settings, executors, one string) (err error) {
	if one != "" {
		if s.Shard, err = shard.Parse(one); err != nil {
			return fmt.Errorf("%w (SHARD)", err)
		}
		if executors != inVirtualTime {
			return fmt.Errorf("shards are of runs in virtual time, not on %s: leave -on out", executors)
		}
	}
	if s.Record {
		if err := toRecord(s, executors); err != nil {
			return err
		}
	}
	if err := s.Check(); err != nil {
		return err
	}
	s.Report, err = filepath.Abs(s.Report)
	return err
}

// show prints what an executor has shown. It is false when that is not all that the run
// was to show.
func show(ctx context.Context, s suites.Settings, o *outcome) (well bool, err error) {
	if s.Shard != 0 && len(o.specs) == 0 {
		_, err := fmt.Printf("Shard %d/%d has no specs in this run. Its part of the report is in %s.\n", s.Shard, shard.Count, s.Report)
		return true, err
	}
	if err := o.print(os.Stdout, s); err != nil || ctx.Err() != nil {
		return false, err
	}
	if s.Shard == 0 && !o.leftOut(s.LeaveOut) {
		return false, fmt.Errorf("no spec that ran has the step %q to leave out: a step is fault, detector or action and its number (%s=\"fault 1\")", s.LeaveOut, environment.LeaveOut)
	}
	complete := isPart(s) || o.complete()
	if o.executor == inVirtualTime {
		measured, err := showMatrix(os.Stdout, s, o)
		if err != nil {
			return false, err
		}
		complete = complete && measured
	}
	return o.green && complete, page.WriteTests(s.Report, "")
}

// isPart says that not all specs are to run.
func isPart(s suites.Settings) bool { return s.Focus != "" || s.Shard != 0 }

// Merge is the command merge. It joins the reports of shards that ran elsewhere, and shows
// what they have shown.
func Merge(ctx context.Context, arguments []string) (passed bool, err error) {
	s := suites.Settings{}
	flags := flag.NewFlagSet("merge", flag.ContinueOnError)
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the joined report; the one of an earlier run is replaced")
	if err := commandline.Parse(flags, arguments); err != nil {
		return false, err
	}
	if flags.NArg() == 0 {
		return false, errors.New("name the directories with the reports of the shards (PARTS)")
	}
	if s.Report, err = filepath.Abs(s.Report); err != nil {
		return false, err
	}
	report, run, err := gotest.Merge(s.Report, flags.Args())
	if err != nil {
		return false, err
	}
	s.Recall(run)
	return show(ctx, s, sumUp(inVirtualTime, report))
}

// runOn runs the suites on an executor, and prints what failed. An interrupted run is an
// outcome as far as it came.
func runOn(ctx context.Context, executor string, s suites.Settings) (o *outcome, err error) {
	prepare := suites.InVirtualTime
	if executor == onHost {
		prepare = suites.OnHost
	}
	prepared, err := prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	report, err := prepared.Run(ctx, s, s.Report)
	if report == nil || err != nil && ctx.Err() == nil {
		return nil, err
	}
	return sumUp(executor, report), report.PrintFailures(os.Stdout, s.Terminal)
}

func executorsOf(list string) ([]string, error) {
	executors := strings.Split(list, ",")
	for _, name := range executors {
		if name != onHost && name != inVirtualTime {
			return nil, fmt.Errorf("there is no executor %q: choose virtual, host, or host,virtual", name)
		}
	}
	return executors, nil
}

// Command suite runs the behaviour suites, in virtual time or on the running kernel
// or both, and sums the run up: a line for each family, the behaviours that were
// shown, what failed and where its evidence is, and how long it took beside how long
// it would have taken one spec after another. After both it says where each spec ran,
// and fails when one ran nowhere.
//
// It exits with 0 if all that was to run ran and passed, with 1 if specs failed or ran
// nowhere, and with 2 if it could not run them. An interrupted run is summed up as far
// as it came, and exits with 2.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/term"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() { run.Command("suite", suite) }

func suite(ctx context.Context, arguments []string) (passed bool, err error) {
	if len(arguments) > 0 && arguments[0] == "merge" {
		return merge(ctx, arguments[1:])
	}
	s := run.Suites{Output: os.Stdout, Colour: term.IsTerminal(int(os.Stdout.Fd())), LeaveOut: environment.Read().LeaveOut}
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	on := flags.String("on", "virtual", "the executors: virtual, host, or host,virtual")
	one := flags.String("shard", "", fmt.Sprintf("in virtual time: runs one shard, as in 3/%d, and leaves its part of the report", shard.Count))
	flags.BoolVar(&s.Record, "record", false, "the detection matrix is measured in virtual time, and becomes the committed one")
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the report; the one of an earlier run is replaced")
	if err := run.Parse(flags, arguments); err != nil {
		return false, err
	}
	executors, err := executorsOf(*on)
	if err != nil {
		return false, err
	}
	if err := check(&s, *on, *one); err != nil {
		return false, err
	}
	if err := harness.EmptyReport(s.Report); err != nil {
		return false, fmt.Errorf("%w (REPORT)", err)
	}
	passed = true
	var outcomes []*outcome
	for _, e := range executors {
		each := s
		if len(executors) > 1 {
			each.Report = filepath.Join(s.Report, e.name)
			if err := os.Mkdir(each.Report, 0o755); err != nil {
				return false, err
			}
		}
		o, err := e.run(ctx, each)
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
func check(s *run.Suites, executors, one string) (err error) {
	if one != "" {
		if s.Shard, err = shard.Parse(one); err != nil {
			return fmt.Errorf("%w (SHARD)", err)
		}
		if executors != "virtual" {
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
func show(ctx context.Context, s run.Suites, o *outcome) (well bool, err error) {
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
	if o.executor == "virtual" {
		measured, err := showMatrix(os.Stdout, s, o)
		if err != nil {
			return false, err
		}
		complete = complete && measured
	}
	return o.green && complete, nil
}

// isPart says that not all specs are to run.
func isPart(s run.Suites) bool { return s.Focus != "" || s.Shard != 0 }

// merge joins the reports of shards that ran elsewhere, and shows what they have shown.
func merge(ctx context.Context, arguments []string) (passed bool, err error) {
	s := run.Suites{}
	flags := flag.NewFlagSet("suite merge", flag.ContinueOnError)
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the joined report; the one of an earlier run is replaced")
	if err := run.ParseArguments(flags, arguments); err != nil {
		return false, err
	}
	if flags.NArg() == 0 {
		return false, errors.New("name the directories with the reports of the shards (PARTS)")
	}
	if s.Report, err = filepath.Abs(s.Report); err != nil {
		return false, err
	}
	reports, result, err := s.Merge(flags.Args())
	if err != nil {
		return false, err
	}
	return show(ctx, s, sumUpVirtual(reports, result))
}

// executor is where the suites run.
type executor struct {
	name string
	run  func(context.Context, run.Suites) (*outcome, error)
}

func executorsOf(list string) ([]executor, error) {
	var executors []executor
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "host":
			executors = append(executors, executor{name, onHost})
		case "virtual":
			executors = append(executors, executor{name, inVirtualTime})
		default:
			return nil, fmt.Errorf("there is no executor %q: choose virtual, host, or host,virtual", name)
		}
	}
	return executors, nil
}

func onHost(ctx context.Context, s run.Suites) (*outcome, error) {
	reports, err := s.Host(ctx)
	if err != nil {
		return nil, err
	}
	o := sumUp(reports)
	o.executor = "host"
	o.took = fmt.Sprintf("%.1f s on the running kernel, %s", o.wall.Seconds(), "Linux "+linux.Release())
	return o, nil
}

func inVirtualTime(ctx context.Context, s run.Suites) (*outcome, error) {
	reports, result, err := s.Virtual(ctx)
	if err != nil {
		return nil, err
	}
	return sumUpVirtual(reports, result), nil
}

func sumUpVirtual(reports []types.Report, result run.Result) *outcome {
	o := sumUp(reports)
	o.executor = "virtual"
	o.took = fmt.Sprintf("%.1f s in virtual time, on %s", result.Wall, result.Kernel)
	return o
}

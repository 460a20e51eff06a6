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
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() { run.Command("suite", suite) }

func suite(ctx context.Context, arguments []string) (passed bool, err error) {
	s := run.Suites{Output: os.Stdout, Colour: terminal(os.Stdout), LeaveOut: os.Getenv(harness.LeaveOut)}
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	on := flags.String("on", "virtual", "the executors: virtual, host, or host,virtual")
	flags.BoolVar(&s.Record, "record", false, "the detection matrix is measured in virtual time, and becomes the committed one")
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the report; the one of an earlier run is replaced")
	if err := run.Parse(flags, arguments); err != nil {
		return false, err
	}
	executors, err := executorsOf(*on)
	if err != nil {
		return false, err
	}
	if s.Record {
		if err := toRecord(&s, *on); err != nil {
			return false, err
		}
	}
	if err := s.Check(); err != nil {
		return false, err
	}
	if s.Report, err = filepath.Abs(s.Report); err != nil {
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
		if err := o.print(os.Stdout, each); err != nil || ctx.Err() != nil {
			return false, err
		}
		if !o.leftOut(s.LeaveOut) {
			return false, fmt.Errorf("no spec that ran has the step %q to leave out: a step is fault, detector or action and its number (%s=\"fault 1\")", s.LeaveOut, harness.LeaveOut)
		}
		complete := s.Focus != "" || o.complete()
		if e.name == "virtual" {
			measured, err := showMatrix(os.Stdout, each, o)
			if err != nil {
				return false, err
			}
			complete = complete && measured
		}
		passed = passed && o.green && complete
		outcomes = append(outcomes, o)
	}
	if len(outcomes) > 1 {
		everywhere, err := compare(os.Stdout, s.Report, outcomes)
		return passed && everywhere, err
	}
	return passed, nil
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
	o.took = fmt.Sprintf("%.1f s on the running kernel, %s", o.wall.Seconds(), release())
	return o, nil
}

func inVirtualTime(ctx context.Context, s run.Suites) (*outcome, error) {
	reports, result, err := s.Virtual(ctx)
	if err != nil {
		return nil, err
	}
	o := sumUp(reports)
	o.executor = "virtual"
	o.took = fmt.Sprintf("%.0f s, which were %.0f virtual seconds on %s", result.Wall.Seconds(), result.Virtual.Seconds(), result.Kernel)
	return o, nil
}

// release is the running kernel's name.
func release() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "Linux"
	}
	return "Linux " + unix.ByteSliceToString(name.Release[:])
}

func terminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

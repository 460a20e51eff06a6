// Command mutate runs the suites again and again, each time without one step of
// every spec: its first fault, its second fault, its first detector, and so on.
// A spec that stays green although its fault never happened, or its detector was
// never switched on, proves nothing; mutate lists those and exits with 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() { run.Command("mutate", mutate) }

func mutate(ctx context.Context, arguments []string) (well bool, err error) {
	var s run.Suites
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	virtual := flags.Bool("virtual", false, "in virtual time, which runs the specs that wait long as well")
	if err := run.Parse(flags, arguments); err != nil {
		return false, err
	}
	if err := s.Check(); err != nil {
		return false, err
	}
	red, green, err := leaveOutEach(ctx, s, *virtual)
	if red+len(green) > 0 {
		slices.Sort(green)
		fmt.Printf("\n%d steps were left out; %d specs went red, %d stayed green\n", red+len(green), red, len(green))
		for _, line := range green {
			fmt.Println("  stayed green:", line)
		}
	}
	if err == nil && red+len(green) == 0 {
		err = errors.New("no spec that has run has a step to leave out")
	}
	return len(green) == 0, err
}

// leaveOutEach leaves out the first, second, … step of each kind until no spec has
// as many. It returns how many specs went red, and what of those that stayed green;
// also with an error, as far as it has come.
func leaveOutEach(ctx context.Context, s run.Suites, virtual bool) (red int, green []string, err error) {
	for _, kind := range []string{"fault", "detector", "action"} {
		for number, mutated := 1, -1; mutated != 0; number++ {
			s.LeaveOut = fmt.Sprintf("%s %d", kind, number)
			specs, err := once(ctx, s, virtual)
			if err != nil {
				return red, green, fmt.Errorf("running the suites without %s: %w", s.LeaveOut, err)
			}
			r, g, err := judge(specs)
			red, green, mutated = red+r, append(green, g...), r+len(g)
			if err != nil {
				return red, green, fmt.Errorf("without %s: %w", s.LeaveOut, err)
			}
			fmt.Printf("without %s: %d specs have one\n", s.LeaveOut, mutated)
		}
	}
	return red, green, nil
}

// judge says how many of the specs that have left a step out failed, and which
// passed. One that neither failed nor passed says nothing about its step.
func judge(specs types.SpecReports) (red int, green []string, err error) {
	for _, spec := range specs {
		steps := leftOut(spec)
		switch {
		case len(steps) == 0:
		case spec.State.Is(types.SpecStatePassed):
			green = append(green, fmt.Sprintf("%s\n      without %s", run.Name(spec), strings.Join(steps, "; ")))
		case spec.State.Is(types.SpecStateFailed | types.SpecStatePanicked | types.SpecStateTimedout):
			red++
		default:
			err = errors.Join(err, fmt.Errorf("%s was %s: it neither failed nor passed", run.Name(spec), spec.State))
		}
	}
	return red, green, err
}

// once runs the suites and returns the specs' reports.
func once(ctx context.Context, s run.Suites, virtual bool) (types.SpecReports, error) {
	directory, err := os.MkdirTemp("", "halfopen-mutate-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	s.Report = directory
	var reports []types.Report
	if virtual {
		reports, _, err = s.Virtual(ctx)
	} else {
		reports, err = s.Host(ctx)
	}
	if err == nil {
		err = ctx.Err()
	}
	if reasons := run.Reasons(reports); err == nil && len(reasons) > 0 {
		err = errors.New(strings.Join(reasons, "\n"))
	}
	return run.Specs(reports), err
}

// leftOut are the steps that the harness reports to have left out of a spec.
func leftOut(spec types.SpecReport) []string {
	var steps []string
	for _, entry := range spec.ReportEntries {
		if entry.Name == "left out" {
			steps = append(steps, entry.StringRepresentation())
		}
	}
	return steps
}

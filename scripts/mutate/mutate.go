// Package mutate runs the suites again and again, each time without one step of
// every spec: its first fault, its second fault, its first detector, and so on.
// A spec that stays green although its fault never happened, or its detector was
// never switched on, proves nothing: the command lists those and exits with 1.
package mutate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// Command is the command mutate.
func Command(ctx context.Context, arguments []string) (well bool, err error) {
	var s suites.Settings
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	virtual := flags.Bool("virtual", false, "in virtual time, which runs the specs that wait long as well")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	prepare := suites.OnHost
	if *virtual {
		prepare = suites.InVirtualTime
	}
	prepared, err := prepare(ctx, s)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	red, green, err := leaveOutEach(ctx, prepared, s)
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

// leaveOutEach runs the specs as they are, and then those that have a first fault
// without it, those that have a second one without that, and so on for each kind of
// step. It returns how many specs went red, and what of those that stayed green; also
// with an error, as far as it has come.
func leaveOutEach(ctx context.Context, prepared *suites.Suites, s suites.Settings) (red int, green []string, err error) {
	whole, err := once(ctx, prepared, s)
	if err != nil {
		return 0, nil, fmt.Errorf("running the suites with nothing left out: %w", err)
	}
	if err := mustPass(whole); err != nil {
		return 0, nil, err
	}
	for _, kind := range []string{"fault", "detector", "action"} {
		for number := 1; ; number++ {
			s.LeaveOut = fmt.Sprintf("%s %d", kind, number)
			only := with(s.LeaveOut, whole)
			if len(only) == 0 {
				break
			}
			fmt.Printf("without %s: %d specs have one\n", s.LeaveOut, len(only))
			r, g, passErr := leaveOut(ctx, prepared, s, only)
			red, green = red+r, append(green, g...)
			if ctx.Err() != nil {
				return red, green, passErr
			}
			err = errors.Join(err, passErr) // the other steps can still be tried
		}
	}
	return red, green, err
}

// leaveOut runs specs without the step that they all have.
func leaveOut(ctx context.Context, prepared *suites.Suites, s suites.Settings, only []string) (red int, green []string, err error) {
	s.Only = func(text string) bool { return slices.Contains(only, text) }
	specs, err := once(ctx, prepared, s)
	if err != nil {
		return 0, nil, fmt.Errorf("running the suites without %s: %w", s.LeaveOut, err)
	}
	red, green, err = judge(specs)
	if got := red + len(green); err == nil && got != len(only) {
		err = fmt.Errorf("%d of %d specs have left it out", got, len(only))
	}
	if err != nil {
		err = fmt.Errorf("without %s: %w", s.LeaveOut, err)
	}
	return red, green, err
}

// mustPass says which specs are red with nothing left out: that they are red without a
// step proves nothing.
func mustPass(specs types.SpecReports) error {
	var failed error
	for _, spec := range specs {
		if spec.Failed() {
			failed = errors.Join(failed, fmt.Errorf("%s failed with nothing left out", suites.Name(spec)))
		}
	}
	return failed
}

// with are the texts of the specs that have a step, as in "fault 2".
func with(step string, specs types.SpecReports) []string {
	var texts []string
	for _, spec := range specs {
		if slices.Contains(suites.Entries(spec, harness.StepEntry), step) {
			texts = append(texts, spec.FullText())
		}
	}
	return texts
}

// judge says how many of the specs that have left a step out failed, and which
// passed. One that neither failed nor passed says nothing about its step.
func judge(specs types.SpecReports) (red int, green []string, err error) {
	for _, spec := range specs {
		steps := suites.Entries(spec, harness.LeftOutEntry)
		switch {
		case len(steps) == 0:
		case spec.State.Is(types.SpecStatePassed):
			green = append(green, fmt.Sprintf("%s\n      without %s", suites.Name(spec), strings.Join(steps, "; ")))
		case spec.State.Is(types.SpecStateFailed | types.SpecStatePanicked | types.SpecStateTimedout):
			red++
		default:
			err = errors.Join(err, fmt.Errorf("%s was %s: it neither failed nor passed", suites.Name(spec), spec.State))
		}
	}
	return red, green, err
}

// once runs the suites and returns the specs' reports.
func once(ctx context.Context, prepared *suites.Suites, s suites.Settings) (types.SpecReports, error) {
	directory, err := os.MkdirTemp("", "halfopen-mutate-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	report, err := prepared.Conclude(ctx, s, directory)
	if err != nil {
		return nil, err
	}
	return report.Specs(), nil
}

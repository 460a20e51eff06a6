// Package repeat runs the suites many times in a row while every core is busy, each
// time with another seed, and lists the specs that were not green every time. A
// timing that only holds on an idle machine shows here.
package repeat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// Command is the command repeat.
func Command(ctx context.Context, arguments []string) (well bool, err error) {
	var s suites.Settings
	flags := flag.NewFlagSet("repeat", flag.ContinueOnError)
	s.Flags(flags)
	times := flags.Int("times", 10, "how many runs; each has a seed one higher than the one before")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	if *times < 1 {
		return false, fmt.Errorf("%d runs: choose 1 or more (TIMES)", *times)
	}
	prepared, err := suites.OnHost(ctx, s)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	directory, err := os.MkdirTemp("", "halfopen-repeat-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(directory) }() // not what red runs have left in it
	suites.KeepCoresBusy()
	ran, green := 0, 0
	for round := 1; round <= *times; round++ {
		report := filepath.Join(directory, fmt.Sprintf("run-%d", round))
		var passed bool
		if passed, err = once(ctx, prepared, s, report, fmt.Sprintf("run %d of %d", round, *times)); err != nil {
			err = errors.Join(fmt.Errorf("run %d: %w", round, err), os.RemoveAll(report))
			break
		}
		ran++
		if passed {
			green++
			err = os.RemoveAll(report)
		}
		s.Seed++
	}
	if ran > 0 {
		fmt.Printf("\n%d of %d runs were green, with all %d cores busy\n", green, ran, runtime.NumCPU())
	}
	if green < ran {
		fmt.Printf("The reports of the others are in %s.\n", directory)
	}
	return green == ran, err
}

// once runs the suites and prints how it went.
func once(ctx context.Context, prepared *suites.Suites, s suites.Settings, directory, what string) (green bool, err error) {
	if err := os.Mkdir(directory, 0o755); err != nil {
		return false, err
	}
	began := time.Now()
	report, err := prepared.Run(ctx, s, directory)
	if err != nil {
		return false, err
	}
	specs, reasons := report.Specs(), report.Reasons()
	failed := specs.WithState(types.SpecStateFailureStates)
	fmt.Printf("%s: %d passed, %d failed, in %.0f s with the seed %d\n", what, specs.CountWithState(types.SpecStatePassed), len(failed), time.Since(began).Seconds(), s.Seed)
	for _, reason := range reasons {
		fmt.Printf("  %s\n", reason)
	}
	for _, spec := range failed {
		message, _, _ := strings.Cut(spec.FailureMessage(), "\n\n")
		fmt.Printf("  %s: %s\n", suites.Name(spec), message)
	}
	return len(failed)+len(reasons) == 0, nil
}

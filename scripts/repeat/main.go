// Command repeat runs the suites many times in a row while every core is busy, and
// lists the specs that were not green every time. A timing that only holds on an
// idle machine shows here.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() {
	times := flag.Int("times", 50, "how many runs")
	procs := flag.Int("procs", 32, "test processes that share the specs")
	focus := flag.String("focus", "", "only the specs whose text matches")
	keep := flag.String("report", "", "directory for the evidence of failed specs")
	flag.Parse()
	if *times < 1 || *procs < 1 {
		fmt.Fprintln(os.Stderr, "repeat: -times and -procs must be at least 1")
		os.Exit(2)
	}
	red, err := repeat(*times, *procs, *focus, *keep)
	if err != nil {
		fmt.Fprintf(os.Stderr, "repeat: %v\n", err)
		os.Exit(2)
	}
	if red > 0 {
		os.Exit(1)
	}
}

func repeat(times, procs int, focus, keep string) (red int, err error) {
	directory, err := os.MkdirTemp("", "halfopen-repeat-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if keep == "" {
		keep = directory
	}
	binary := filepath.Join(directory, "suites.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "./suites").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the suites: %w\n%s", err, out)
	}
	run.KeepCoresBusy()
	for round := 1; round <= times; round++ {
		began := time.Now()
		reports, err := run.Suites{Path: binary, Procs: procs, Seed: int64(round), Focus: focus,
			Report: filepath.Join(keep, fmt.Sprintf("run-%d", round))}.Host()
		if err != nil {
			return red, fmt.Errorf("run %d: %w", round, err)
		}
		specs := run.Specs(reports)
		failed := specs.WithState(types.SpecStateFailureStates)
		fmt.Printf("run %d of %d: %d passed, %d failed, in %.0f s\n", round, times, specs.CountWithState(types.SpecStatePassed), len(failed), time.Since(began).Seconds())
		for _, spec := range failed {
			message, _, _ := strings.Cut(spec.FailureMessage(), "\n\n")
			fmt.Printf("  %s: %s\n", spec.FullText(), message)
		}
		if slices.ContainsFunc(reports, func(r types.Report) bool { return !r.SuiteSucceeded }) {
			red++
		}
	}
	fmt.Printf("\n%d of %d runs were green, with all %d cores busy\n", times-red, times, runtime.NumCPU())
	return red, nil
}

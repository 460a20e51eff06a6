// Command mutate runs the suites again and again, each time without one step of
// every spec: its first fault, its second fault, its first detector, and so on.
// A spec that stays green although its fault never happened, or its detector was
// never switched on, proves nothing; mutate lists those and exits with 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() {
	procs := flag.Int("procs", 32, "test processes that share the specs")
	focus := flag.String("focus", "", "only the specs whose text matches")
	virtual := flag.Bool("virtual", false, "in virtual time, which runs the specs that wait long as well")
	flag.Parse()
	green, tried, err := mutate(*procs, *focus, *virtual)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutate: %v\n", err)
		os.Exit(2)
	}
	fmt.Printf("\n%d steps were left out; %d specs went red, %d stayed green\n", tried, tried-len(green), len(green))
	for _, line := range green {
		fmt.Println("  stayed green:", line)
	}
	if tried == 0 || len(green) > 0 {
		os.Exit(1)
	}
}

// mutate leaves out the first, second, … step of each kind until no spec has as
// many, and returns those that stayed green.
func mutate(procs int, focus string, virtual bool) (green []string, tried int, err error) {
	for _, kind := range []string{"fault", "detector", "action"} {
		for number := 1; ; number++ {
			step := fmt.Sprintf("%s %d", kind, number)
			specs, err := without(step, procs, focus, virtual)
			if err != nil {
				return nil, 0, fmt.Errorf("running the suites without %s: %w", step, err)
			}
			mutated := 0
			for _, spec := range specs {
				steps := leftOut(spec)
				if len(steps) == 0 {
					continue
				}
				mutated++
				if spec.State == types.SpecStatePassed {
					green = append(green, fmt.Sprintf("%s\n      without %s", spec.FullText(), strings.Join(steps, "; ")))
				}
			}
			fmt.Printf("without %s: %d specs have one\n", step, mutated)
			tried += mutated
			if mutated == 0 {
				break
			}
		}
	}
	slices.Sort(green)
	return green, tried, nil
}

// without runs the suites without one step and returns the specs' reports.
func without(step string, procs int, focus string, virtual bool) (types.SpecReports, error) {
	directory, err := os.MkdirTemp("", "halfopen-mutate-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	suites := run.Suites{Procs: procs, Seed: 1, Focus: focus, LeaveOut: step, Report: directory}
	var reports []types.Report
	if virtual {
		reports, _, err = suites.Virtual(context.Background())
	} else {
		reports, err = suites.Host()
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

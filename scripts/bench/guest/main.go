// Command guest prints what virtual time costs on both machines, one beside the other:
// how long a guest takes to its first spec, what idle hours cost, what the whole suite
// takes, and how long it would wait in real time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() { run.Command("bench", bench) }

// The specs that are measured by themselves: one that is over at once, and one that
// waits for three days of keepalive probes.
const (
	instant = "What the other side gets over IPv4 from a close: FIN"
	idle    = "peer that lives over IPv4 .*72 h of silence"
)

// sleeper is the program that sleeps for 7200 s.
const sleeper = "./scripts/bench/guest/sleep"

func bench(ctx context.Context, arguments []string) (well bool, err error) {
	if err := run.Parse(flag.NewFlagSet("bench", flag.ContinueOnError), arguments); err != nil {
		return false, err
	}
	um, err := costsOf(ctx, machine.UM)
	if err != nil {
		return false, fmt.Errorf("on %s: %w", machine.UM, err)
	}
	qemu, err := costsOf(ctx, machine.QEMU)
	if err != nil {
		return false, fmt.Errorf("on %s: %w", machine.QEMU, err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d specs in %d shards, which would wait %.0f h one after another\t%s\t%s\tqemu/um\n",
		um.specs, um.shards, um.waits.Hours(), machine.UM, machine.QEMU)
	for _, row := range []struct {
		what string
		of   func(costs) float64
		unit string
	}{
		{"from the start of a guest to its first spec passed", func(c costs) float64 { return c.first }, "s"},
		{"boot, 7200 s of sleep, off", func(c costs) float64 { return c.sleep }, "s"},
		{"72 h of keepalive probes", func(c costs) float64 { return c.idle }, "s"},
		{"the whole suite, wall", func(c costs) float64 { return c.wall }, "s"},
		{"the whole suite, processor", func(c costs) float64 { return c.processor }, "s"},
		{"a spec, processor", func(c costs) float64 { return 1000 * c.processor / float64(c.specs) }, "ms"},
		{"largest shard against the mean, processor", func(c costs) float64 { return c.balance }, ""},
		{"memory of the largest guest", func(c costs) float64 { return float64(c.memory >> 20) }, "MiB"},
	} {
		a, b := row.of(um), row.of(qemu)
		fmt.Fprintf(table, "%s\t%.2f %s\t%.2f %s\t%.1f\n", row.what, a, row.unit, b, row.unit, b/a)
	}
	return true, table.Flush()
}

// costs is what one machine takes, in seconds and bytes.
type costs struct {
	first, sleep, idle, wall, processor, balance float64
	memory                                       int64
	specs, shards                                int
	waits                                        time.Duration // of all specs together
}

func costsOf(ctx context.Context, name string) (c costs, err error) {
	want := machine.Want{Name: name}
	if c.sleep, err = run.Program(ctx, want, sleeper); err != nil {
		return c, err
	}
	var first time.Time
	boot, err := measure(ctx, run.Suites{Machine: want, Focus: instant, Ended: func() { first = time.Now() }})
	if err != nil {
		return c, err
	}
	if first.IsZero() {
		return c, fmt.Errorf("the guest has not said when %q had passed", instant)
	}
	c.first = first.Sub(boot.began).Seconds()
	quiet, err := measure(ctx, run.Suites{Machine: want, Focus: idle})
	if err != nil {
		return c, err
	}
	c.idle = quiet.Wall
	all, err := measure(ctx, run.Suites{Machine: want})
	if err != nil {
		return c, err
	}
	for _, spec := range all.specs {
		if spec.State.Is(types.SpecStatePassed) {
			c.specs++
			c.waits += spec.RunTime
		}
	}
	c.wall, c.processor, c.balance, c.memory, c.shards = all.Wall, all.Processor, all.Balance, all.Memory(), len(all.Shards)
	return c, nil
}

// measurement is what guests took for specs that have all passed.
type measurement struct {
	run.Result
	began time.Time // when the first guest was started, by this machine's clock
	specs types.SpecReports
}

func measure(ctx context.Context, s run.Suites) (measurement, error) {
	directory, err := os.MkdirTemp("", "halfopen-bench-")
	if err != nil {
		return measurement{}, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	s.Seed = 1
	guests, err := s.Guests(ctx)
	if err != nil {
		return measurement{}, err
	}
	began := time.Now()
	reports, result, err := guests.Run(ctx, directory)
	if err == nil {
		err = ctx.Err()
	}
	if reasons := run.Reasons(reports); err == nil && len(reasons) > 0 {
		err = errors.New(strings.Join(reasons, "\n"))
	}
	m := measurement{result, began, run.Specs(reports)}
	if failed := m.specs.WithState(types.SpecStateFailureStates); err == nil && len(failed) > 0 {
		err = fmt.Errorf("%d of %d specs failed: see them with 'make suite'", len(failed), len(m.specs))
	}
	return m, err
}

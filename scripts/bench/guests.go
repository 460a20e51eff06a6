package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// The specs that are measured by themselves: one that is over at once, and one that
// waits for three days of keepalive probes.
const (
	instant = "over IPv4 .*" + catalogue.Immediate
	idle    = "over IPv4 .*" + catalogue.ThreeDays
)

// sleeper is the program that sleeps for 7200 s.
const sleeper = "./scripts/bench/sleep"

// Guests is the command bench-guests. It prints what virtual time costs on both machines,
// one beside the other: how long a guest takes to its first spec, what idle hours cost,
// what the whole suite takes, and how long it would wait in real time.
func Guests(ctx context.Context, arguments []string) (well bool, err error) {
	if err := suites.Parse(flag.NewFlagSet("bench-guests", flag.ContinueOnError), arguments); err != nil {
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
	if c.sleep, err = sleepIn(ctx, want); err != nil {
		return c, err
	}
	prepared, err := suites.InVirtualTime(ctx, suites.Settings{Machine: want})
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	var first time.Time
	began := time.Now()
	_, err = measure(ctx, prepared, suites.Settings{Only: matches(instant), Ended: func() { first = time.Now() }})
	if err != nil {
		return c, err
	}
	if first.IsZero() {
		return c, fmt.Errorf("the guest has not said when %q had passed", instant)
	}
	c.first = first.Sub(began).Seconds()
	quiet, err := measure(ctx, prepared, suites.Settings{Only: matches(idle)})
	if err != nil {
		return c, err
	}
	c.idle = quiet.Took.Wall
	all, err := measure(ctx, prepared, suites.Settings{})
	if err != nil {
		return c, err
	}
	for _, spec := range all.Specs() {
		if spec.State.Is(types.SpecStatePassed) {
			c.specs++
			c.waits += spec.RunTime
		}
	}
	took := all.Took
	c.wall, c.processor, c.balance, c.memory, c.shards = took.Wall, took.Processor, took.Balance, took.Memory(), len(took.Shards)
	return c, nil
}

// matches chooses the specs whose text matches a pattern.
func matches(pattern string) func(text string) bool {
	return regexp.MustCompile(pattern).MatchString
}

// sleepIn returns how many seconds a guest takes, from its start to its end, that has
// nothing but the program that sleeps.
func sleepIn(ctx context.Context, want machine.Want) (seconds float64, err error) {
	const program = "/sleep"
	files := &virtual.Files{}
	if err := errors.Join(files.Build(ctx, virtual.InitFile, "./harness/virtual/guest/init"), files.Build(ctx, program, sleeper)); err != nil {
		return 0, err
	}
	found, err := machine.Find(ctx, want, os.Stderr)
	if err != nil {
		return 0, err
	}
	one := virtual.Guest{Machine: found, Files: files, Memory: 256, Seed: 1, Report: "/report",
		Commands: []guest.Command{{Arguments: []string{program}, Directory: "/"}}}
	result, err := one.Run(ctx)
	if err == nil && result.Status() != 0 {
		err = fmt.Errorf("%s ended with status %d", sleeper, result.Status())
	}
	return result.Wall.Seconds(), err
}

// measure runs specs that must all pass.
func measure(ctx context.Context, prepared *suites.Suites, s suites.Settings) (report *gotest.Report, err error) {
	directory, err := os.MkdirTemp("", "halfopen-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	s.Seed = 1
	if report, err = prepared.Conclude(ctx, s, directory); err != nil {
		return nil, err
	}
	specs := report.Specs()
	if failed := specs.WithState(types.SpecStateFailureStates); len(failed) > 0 {
		return nil, fmt.Errorf("%d of %d specs failed: see them with 'make suite'", len(failed), len(specs))
	}
	return report, nil
}

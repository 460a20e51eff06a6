// Command guest prints what virtual time costs: how long the guest takes to its first
// spec, how fast its hours pass when nothing happens and when the suites run, what
// memory it takes, and how long the suites would wait in real time.
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

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() { run.Command("bench", bench) }

// The specs that are measured by themselves: one that is over at once, and one that
// waits for three days of keepalive probes.
const (
	instant = "What the other side gets over IPv4 from a close: FIN"
	idle    = "peer that lives over IPv4 .*72 h of silence"
)

func bench(ctx context.Context, arguments []string) (well bool, err error) {
	if err := run.Parse(flag.NewFlagSet("bench", flag.ContinueOnError), arguments); err != nil {
		return false, err
	}
	var first time.Time
	boot, err := measure(ctx, run.Suites{Focus: instant, Ended: func() { first = time.Now() }})
	if err != nil {
		return false, err
	}
	if first.IsZero() {
		return false, fmt.Errorf("the guest has not said when %q had passed", instant)
	}
	quiet, err := measure(ctx, run.Suites{Focus: idle})
	if err != nil {
		return false, err
	}
	all, err := measure(ctx, run.Suites{})
	if err != nil {
		return false, err
	}
	var waits time.Duration
	ran := 0
	for _, spec := range all.specs {
		if spec.State.Is(types.SpecStatePassed) {
			ran++
			waits += spec.RunTime
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "from the start of a guest to the first spec that has passed\t%.1f s\n", first.Sub(boot.began).Seconds())
	fmt.Fprintf(table, "virtual seconds in a wall second, waiting for keepalive\t%.0f\n", (quiet.Virtual-boot.Virtual)/(quiet.Wall-boot.Wall))
	fmt.Fprintf(table, "the whole suite: %d specs in %d shards\t%.0f s\n", ran, len(all.Shards), all.Wall)
	fmt.Fprintf(table, "what all specs wait, against the wall time\t%.0f h, %.0f ×\n", waits.Hours(), waits.Seconds()/all.Wall)
	fmt.Fprintf(table, "processor time of all guests, and for a spec\t%.0f s, %.2f s\n", all.Processor, all.Processor/float64(ran))
	fmt.Fprintf(table, "processor time of the largest shard, against the mean\t%.2f\n", all.Balance)
	fmt.Fprintf(table, "memory of the largest guest\t%d MiB\n", all.Memory()>>20)
	return true, table.Flush()
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

// Command guest prints what virtual time costs: how long the guest takes to its first
// spec, how fast its hours pass when nothing happens and when the suites run, what
// memory it takes, and how long the suites would wait in real time.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if err := bench(ctx, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// The specs that are measured by themselves: one that is over at once, and one that
// waits for three days of keepalive probes.
const (
	instant = "What the other side gets over IPv4 from a close: FIN"
	idle    = "peer that lives over IPv4 .*72 h of silence"
)

func bench(ctx context.Context, w io.Writer) error {
	clock := &firstSpec{}
	boot, _, err := measure(ctx, run.Suites{Procs: 1, Focus: instant, Output: clock})
	if err != nil {
		return err
	}
	first := boot.Wall - time.Since(clock.seen)
	quiet, _, err := measure(ctx, run.Suites{Procs: 1, Focus: idle})
	if err != nil {
		return err
	}
	all, specs, err := measure(ctx, run.Suites{Procs: 16})
	if err != nil {
		return err
	}
	var waits time.Duration
	ran := 0
	for _, spec := range specs {
		if spec.State.Is(types.SpecStatePassed) {
			ran++
			waits += spec.RunTime
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "from power-on to the first spec that has passed\t%.1f s\n", first.Seconds())
	fmt.Fprintf(table, "virtual seconds in a wall second, waiting for keepalive\t%.0f\n", (quiet.Virtual-boot.Virtual).Seconds()/(quiet.Wall-boot.Wall).Seconds())
	fmt.Fprintf(table, "the whole suite: %d specs\t%.0f s\n", ran, all.Wall.Seconds())
	fmt.Fprintf(table, "virtual seconds in a wall second, in the suite\t%.0f\n", all.Virtual.Seconds()/all.Wall.Seconds())
	fmt.Fprintf(table, "what all specs wait, against the wall time\t%.0f h, %.0f ×\n", waits.Hours(), waits.Seconds()/all.Wall.Seconds())
	fmt.Fprintf(table, "processor time for a spec\t%.2f s\n", all.CPU.Seconds()/float64(ran))
	fmt.Fprintf(table, "memory of both guests\t%d MiB\n", all.Memory>>20)
	return table.Flush()
}

// measure runs specs, all of which must pass.
func measure(ctx context.Context, s run.Suites) (virtual.Result, types.SpecReports, error) {
	directory, err := os.MkdirTemp("", "halfopen-bench-")
	if err != nil {
		return virtual.Result{}, nil, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	s.Seed, s.Report = 1, directory
	reports, result, err := s.Virtual(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return result, nil, err
	}
	specs := run.Specs(reports)
	if len(specs) == 0 {
		return result, nil, fmt.Errorf("no spec's text matches %q", s.Focus)
	}
	if failed := specs.WithState(types.SpecStateFailureStates); len(failed) > 0 {
		return result, nil, fmt.Errorf("%d of %d specs failed: see them with 'make suite'", len(failed), len(specs))
	}
	return result, specs, nil
}

// firstSpec notes when the guest's first spec has passed.
type firstSpec struct{ seen time.Time }

func (f *firstSpec) Write(p []byte) (int, error) {
	if f.seen.IsZero() && strings.Contains(string(p), "•") {
		f.seen = time.Now()
	}
	return len(p), nil
}

// Command guest prints what virtual time costs: how long the guest takes to its first
// spec, how fast its hours pass when nothing happens and when the suites run, what
// memory it takes, and how long the suites would wait in real time.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual"
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
	passed := &firstSpec{}
	boot, err := measure(ctx, run.Suites{Procs: 1, Focus: instant, Output: passed})
	if err != nil {
		return false, err
	}
	if passed.at.IsZero() {
		return false, fmt.Errorf("the guest has not shown when %q passed", instant)
	}
	quiet, err := measure(ctx, run.Suites{Procs: 1, Focus: idle})
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
	fmt.Fprintf(table, "from the start of both guests to the first spec that has passed\t%.1f s\n", passed.at.Sub(boot.began).Seconds())
	fmt.Fprintf(table, "virtual seconds in a wall second, waiting for keepalive\t%.0f\n", (quiet.Virtual-boot.Virtual).Seconds()/(quiet.Wall-boot.Wall).Seconds())
	fmt.Fprintf(table, "the whole suite: %d specs\t%.0f s\n", ran, all.Wall.Seconds())
	fmt.Fprintf(table, "virtual seconds in a wall second, in the suite\t%.0f\n", all.Virtual.Seconds()/all.Wall.Seconds())
	fmt.Fprintf(table, "what all specs wait, against the wall time\t%.0f h, %.0f ×\n", waits.Hours(), waits.Seconds()/all.Wall.Seconds())
	fmt.Fprintf(table, "processor time for a spec\t%.2f s\n", all.CPU.Seconds()/float64(ran))
	fmt.Fprintf(table, "memory of both guests\t%d MiB\n", all.Memory>>20)
	return true, table.Flush()
}

// measurement is what guests took for specs that have all passed.
type measurement struct {
	virtual.Result
	began time.Time // when the guests were started, by this machine's clock
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

// firstSpec notes when the guest's first spec has passed: Ginkgo then prints a dot.
type firstSpec struct {
	at   time.Time
	last []byte // of the console, where a dot of several bytes may have been cut
}

func (f *firstSpec) Write(p []byte) (int, error) {
	const dot = "•"
	if f.at.IsZero() {
		if f.last = append(f.last, p...); bytes.Contains(f.last, []byte(dot)) {
			f.at = time.Now()
		}
		f.last = f.last[max(0, len(f.last)-len(dot)):]
	}
	return len(p), nil
}

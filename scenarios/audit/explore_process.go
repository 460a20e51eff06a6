package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// exploring is the process that makes the runs of a batch in a guest. Its arguments are the
// file of the order and the directory of the report; it writes the results there.
const exploring reexec.Name = "explore"

func init() { reexec.Register(exploring, exploreProcess) }

func exploreProcess(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("it was started with %d arguments: the file of the order and the directory of the report are needed", len(arguments))
	}
	orderFile, report := arguments[0], arguments[1]
	harness.Main(func() int {
		ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		found, err := exploreFile(ctx, orderFile, report)
		if err != nil {
			found.Trouble = firstLine(err)
		}
		content, err := json.Marshal(found)
		if err == nil {
			err = errors.Join(os.MkdirAll(report, 0o755), atomicfile.WriteFile(filepath.Join(report, resultsFile), content, 0o644))
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
			return 1
		}
		return 0
	})
	return nil
}

// exploreFile makes the runs of the order in a file, one after another, the quiet one first:
// it shows what the others must do. A run does not see those before it. In virtual time
// waiting costs nothing, so that runs at the same time would not be faster, and would
// disturb each other.
func exploreFile(ctx context.Context, orderFile, report string) (found results, err error) {
	content, err := os.ReadFile(orderFile)
	if err != nil {
		return found, fmt.Errorf("reading the order: %w", err)
	}
	var o order
	if err := json.Unmarshal(content, &o); err != nil {
		return found, fmt.Errorf("reading the order: %w", err)
	}
	if err := o.Plan.certify(report); err != nil {
		return found, err
	}
	for _, root := range o.Plan.Prepared {
		if err := root.prepare(ctx); err != nil {
			return found, err
		}
	}
	t, err := trace.Open()
	if err != nil {
		return found, err
	}
	quiet := newExploration(ctx, 0, &o.Plan, explore.Run{}, nil, t)
	if err := quiet.run(keptPath(report, o.Keep && len(o.Batch) == 0)); err != nil {
		return found, fmt.Errorf("the run without a fault: %w", err)
	}
	found.Quiet = quiet.events()
	for i, run := range o.Batch {
		e := newExploration(ctx, i+1, &o.Plan, run, quiet.seen, t)
		var outcome explore.Outcome
		if err := e.run(keptPath(report, o.Keep && len(o.Batch) == 1)); err != nil {
			outcome.Trouble = firstLine(err)
		} else {
			outcome.Violations = e.violations()
		}
		found.Outcomes, found.Late = append(found.Outcomes, outcome), append(found.Late, e.clock.Taken()...)
		if ctx.Err() != nil {
			return found, errEndedEarly
		}
	}
	return found, nil
}

func keptPath(report string, keep bool) string {
	if !keep {
		return ""
	}
	return filepath.Join(report, keptFiles)
}

// startSecond waits for the next whole second of the wall clock. The kernel's timers fire at
// ticks of 4 ms: all runs begin at the same place between two of them.
func startSecond() error {
	at := unix.NsecToTimespec(time.Now().Truncate(time.Second).Add(2 * time.Second).UnixNano())
	for {
		err := unix.ClockNanosleep(unix.CLOCK_REALTIME, unix.TIMER_ABSTIME, &at, nil)
		if err != unix.EINTR {
			return err
		}
	}
}

// Command kernels runs the suites in virtual time on several kernels and prints which
// behaviours differ: the specs that pass on one and not on another, and those that
// take another time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() {
	s := run.Suites{}
	flag.IntVar(&s.Procs, "procs", 16, "test processes that share the specs")
	flag.Int64Var(&s.Seed, "seed", 1, "fixes the order of the specs, and everything random")
	flag.StringVar(&s.Focus, "focus", "", "a regular expression: only the specs whose text matches")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: kernels [flags] KERNEL KERNEL...\nA kernel is a package of Debian, or the file of a vmlinuz.")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if err := compare(ctx, os.Stdout, s, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "kernels: %v\n", err)
		os.Exit(2)
	}
}

// shown is what one kernel has shown of each spec, by the spec's text.
type shown struct {
	kernel string
	specs  map[string]types.SpecReport
}

func compare(ctx context.Context, w io.Writer, s run.Suites, names []string) error {
	if len(names) < 2 {
		return errors.New("name two kernels or more (KERNELS): packages of Debian, or files of a vmlinuz")
	}
	var all []shown
	for _, name := range names {
		one, err := on(ctx, s, name)
		if err != nil {
			return fmt.Errorf("on the kernel %s: %w", name, err)
		}
		passed := 0
		for _, spec := range one.specs {
			if spec.State.Is(types.SpecStatePassed) {
				passed++
			}
		}
		fmt.Fprintf(w, "%s: %d of %d specs passed\n", one.kernel, passed, len(one.specs))
		all = append(all, one)
	}
	return printDifferences(w, all)
}

func on(ctx context.Context, s run.Suites, kernel string) (shown, error) {
	directory, err := os.MkdirTemp("", "halfopen-kernels-")
	if err != nil {
		return shown{}, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	s.Kernel, s.Report = kernel, directory
	reports, result, err := s.Virtual(ctx)
	if err != nil {
		return shown{}, err
	}
	if ctx.Err() != nil {
		return shown{}, context.Cause(ctx)
	}
	one := shown{kernel: result.Kernel, specs: map[string]types.SpecReport{}}
	for _, spec := range run.Specs(reports) {
		one.specs[filepath.Base(filepath.Dir(spec.FileName()))+": "+spec.FullText()] = spec
	}
	return one, nil
}

func printDifferences(w io.Writer, all []shown) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table)
	for _, one := range all {
		fmt.Fprintf(table, "%s\t", one.kernel)
	}
	fmt.Fprintln(table, "spec")
	differ := 0
	for _, text := range slices.Sorted(maps.Keys(all[0].specs)) {
		var cells []string
		for _, one := range all {
			cells = append(cells, result(one.specs[text]))
		}
		if slices.ContainsFunc(all[1:], func(one shown) bool { return differs(all[0].specs[text], one.specs[text]) }) {
			differ++
			fmt.Fprintf(table, "%s\t%s\n", strings.Join(cells, "\t"), text)
		}
	}
	if differ == 0 {
		_, err := fmt.Fprintln(w, "No spec differs.")
		return err
	}
	return table.Flush()
}

// differs says that two kernels do not do the same: one passes and the other does not,
// or it takes another time. Making the labs takes each some virtual milliseconds, and
// a second when many are made at once; a hundredth is what the timer wheel adds.
func differs(a, b types.SpecReport) bool {
	if a.State != b.State {
		return true
	}
	longer, shorter := max(a.RunTime, b.RunTime), min(a.RunTime, b.RunTime)
	return longer-shorter > time.Second+longer/100
}

func result(spec types.SpecReport) string {
	if spec.State == types.SpecStateInvalid {
		return "absent"
	}
	return fmt.Sprintf("%s, %.1f s", spec.State, spec.RunTime.Seconds())
}

// Package witness runs the suites in virtual time on both machines, each with several
// kernels, and prints what differs: the specs that pass on one and not on another or take
// another time, and the cells of the detection matrix.
//
// The user-mode kernel is Debian's source built for another architecture; QEMU runs
// Debian's own binary. What only one of them shows is a mistake of ours, or of an
// architecture, until its reason is known.
package witness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/virtual/qemu"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// usual are the kernels that are compared unless others are named: two for each machine.
const usual = "6.12 6.1 linux-image-6.12-cloud-amd64 " + qemu.DefaultKernel

// Command is the command witness.
func Command(ctx context.Context, arguments []string) (well bool, err error) {
	var s suites.Settings
	flags := flag.NewFlagSet("witness", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	flags.Lookup("kernel").Usage = "two kernels or more, with spaces between them, each of which stands for its machine (default " + usual + ")"
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	names := strings.Fields(cmp.Or(s.Machine.Kernel, usual))
	if len(names) < 2 {
		return false, fmt.Errorf("%q cannot be compared: name two kernels or more (KERNELS)", s.Machine.Kernel)
	}
	// All are there before the first one runs: a wrong name is noticed at once.
	var kernels []*suites.Suites
	for _, name := range names {
		s.Machine.Kernel = name
		one, err := suites.InVirtualTime(ctx, s)
		if err != nil {
			return false, fmt.Errorf("the kernel %s: %w", name, err)
		}
		defer func() { err = errors.Join(err, one.Close()) }()
		kernels = append(kernels, one)
	}
	directory, err := os.MkdirTemp("", "halfopen-kernels-")
	if err != nil {
		return false, err
	}
	differ, err := compare(ctx, os.Stdout, kernels, s, directory)
	if err == nil && differ {
		_, err = fmt.Printf("The reports are in %s.\n", directory)
		return true, err
	}
	return true, errors.Join(err, os.RemoveAll(directory))
}

// shown is what one kernel has shown: of each spec, by the spec's name, and the matrix as
// far as it has measured it.
type shown struct {
	kernel string
	specs  map[string]types.SpecReport
	matrix detection.Matrix
}

// compare runs the suites on each kernel, with its report in a directory of its own, and prints
// what differs.
func compare(ctx context.Context, w io.Writer, kernels []*suites.Suites, s suites.Settings, directory string) (differ bool, err error) {
	var all []shown
	for i, k := range kernels {
		one, err := on(ctx, k, s, filepath.Join(directory, fmt.Sprintf("kernel-%d", i+1)))
		if err != nil {
			return false, fmt.Errorf("on the kernel %s: %w", one.kernel, err)
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
	specs, err := printDifferences(w, all)
	if err != nil {
		return false, err
	}
	cells, err := printCells(w, all)
	return specs || cells, err
}

func on(ctx context.Context, kernel *suites.Suites, s suites.Settings, directory string) (one shown, err error) {
	if err := os.Mkdir(directory, 0o755); err != nil {
		return one, err
	}
	report, err := kernel.Conclude(ctx, s, directory)
	if report != nil {
		one.kernel = report.Took.Kernel
	}
	if err != nil {
		return one, err
	}
	if one.specs, err = suites.ByName(report.Specs()); err != nil {
		return one, err
	}
	one.matrix, err = suites.Matrix(report.Specs())
	return one, err
}

// printCells prints the cells of the matrix in which a kernel differs from the first one,
// by more than the tolerance.
func printCells(w io.Writer, all []shown) (differ bool, err error) {
	for _, one := range all[1:] {
		changes := all[0].matrix.Changes(one.matrix)
		if len(changes) == 0 {
			continue
		}
		differ = true
		if _, err := fmt.Fprintf(w, "\nThe detection matrix, from %s to %s:\n  %s\n", all[0].kernel, one.kernel, strings.Join(changes, "\n  ")); err != nil {
			return differ, err
		}
	}
	if !differ {
		_, err = fmt.Fprintln(w, "\nNo cell of the detection matrix differs.")
	}
	return differ, err
}

// printDifferences prints the specs, of all that any kernel knows, that are not the
// same on all of them.
func printDifferences(w io.Writer, all []shown) (differ bool, err error) {
	known := map[string]types.SpecReport{}
	for _, one := range all {
		maps.Copy(known, one.specs)
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, one := range all {
		fmt.Fprintf(table, "%s\t", one.kernel)
	}
	fmt.Fprintln(table, "spec")
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !slices.ContainsFunc(all[1:], func(one shown) bool { return differs(all[0].specs[name], one.specs[name]) }) {
			continue
		}
		differ = true
		for _, one := range all {
			fmt.Fprintf(table, "%s\t", result(one.specs[name]))
		}
		fmt.Fprintln(table, name)
	}
	if !differ {
		_, err := fmt.Fprintln(w, "No spec differs.")
		return false, err
	}
	return true, table.Flush()
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

package suite

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// executorsFile is the file of a report that says of each spec where it ran.
const executorsFile = "executors.txt"

// compare says where the specs ran: by family and reason on w, spec by spec in the
// report. It is false when a spec ran nowhere: what every executor skips is tested by
// nobody.
func compare(w io.Writer, directory string, outcomes []*outcome) (everywhere bool, err error) {
	results := map[string][]types.SpecReport{} // by the name of the spec, one for each executor
	for i, o := range outcomes {
		byName, err := suites.ByName(o.specs)
		if err != nil {
			return false, err
		}
		for name, spec := range byName {
			if results[name] == nil {
				results[name] = make([]types.SpecReport, len(outcomes))
			}
			results[name][i] = spec
		}
	}
	names := slices.Sorted(maps.Keys(results))
	if err := writeExecutors(filepath.Join(directory, executorsFile), outcomes, names, results); err != nil {
		return false, err
	}

	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nwhere\tran\tskipped\t  why\n")
	for i, o := range outcomes {
		ran, reasons := 0, map[string]int{}
		for _, name := range names {
			if spec := results[name][i]; skipped(spec) {
				reasons[reason(spec)]++
			} else {
				ran++
			}
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t\n", o.executor, ran, len(names)-ran)
		for _, why := range slices.Sorted(maps.Keys(reasons)) {
			fmt.Fprintf(table, "\t\t%d\t  %s\n", reasons[why], why)
		}
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	var nowhere []string
	for _, name := range names {
		if !slices.ContainsFunc(results[name], func(spec types.SpecReport) bool { return !skipped(spec) }) {
			nowhere = append(nowhere, name)
		}
	}
	fmt.Fprintf(w, "\nEach spec by name: %s. ", filepath.Join(directory, executorsFile))
	if len(nowhere) == 0 {
		_, err := fmt.Fprintln(w, "Every one ran somewhere.")
		return true, err
	}
	_, err = fmt.Fprintf(w, "These ran nowhere:\n  %s\n", strings.Join(nowhere, "\n  "))
	return false, err
}

// skipped says that a spec did not run; one that the executor does not even know is
// the zero value.
func skipped(spec types.SpecReport) bool {
	return spec.State == types.SpecStateInvalid || spec.State.Is(types.SpecStateSkipped|types.SpecStatePending)
}

// reason is why a spec was skipped, without the figures that differ from one to the
// next.
func reason(spec types.SpecReport) string {
	message := spec.FailureMessage()
	if message == "" {
		return "it is not known there"
	}
	if strings.HasPrefix(message, "waits ") {
		_, remedy, _ := strings.Cut(message, ": ")
		return "waits too long for real time: " + remedy
	}
	return message
}

func writeExecutors(path string, outcomes []*outcome, names []string, results map[string][]types.SpecReport) error {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, o := range outcomes {
		fmt.Fprintf(table, "%s\t", o.executor)
	}
	fmt.Fprintln(table, "spec")
	for _, name := range names {
		for _, spec := range results[name] {
			said := spec.State.String()
			if skipped(spec) {
				said = "skipped: " + reason(spec)
			}
			fmt.Fprintf(table, "%s\t", said)
		}
		fmt.Fprintln(table, name)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, text.Bytes(), 0o644)
}

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

// outcome is one run.
type outcome struct {
	families map[string]*family
	failed   []string
	wall     time.Duration
	sum      time.Duration
	passed   int
	ran      int
	green    bool // Ginkgo's own verdict, which includes what no spec says
}

// family is the specs of one folder.
type family struct {
	ran, passed  int
	longest, sum time.Duration
	rows         []string
}

// row is what a row of the behaviour catalogue is called.
var row = regexp.MustCompile(`^[A-Z]\d+$`)

func sumUp(reports []types.Report) *outcome {
	o := &outcome{families: map[string]*family{}, green: true}
	for _, r := range reports {
		o.wall += r.RunTime
		o.green = o.green && r.SuiteSucceeded
	}
	for _, spec := range run.Specs(reports) {
		o.add(spec)
	}
	return o
}

func (o *outcome) add(spec types.SpecReport) {
	name := filepath.Base(filepath.Dir(spec.FileName()))
	f := o.families[name]
	if f == nil {
		f = &family{}
		o.families[name] = f
	}
	o.ran++
	f.ran++
	if spec.State == types.SpecStatePassed {
		o.passed++
		f.passed++
	} else {
		o.failed = append(o.failed, fmt.Sprintf("%s: %s", spec.State, spec.FullText()))
	}
	o.sum += spec.RunTime
	f.sum += spec.RunTime
	f.longest = max(f.longest, spec.RunTime)
	for _, label := range spec.Labels() {
		if row.MatchString(label) && !slices.Contains(f.rows, label) {
			f.rows = append(f.rows, label)
		}
	}
}

func (o *outcome) print(w io.Writer, directory string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nfamily\tspecs\tpassed\tfailed\tlongest\tsum\t  rows of the catalogue")
	names := make([]string, 0, len(o.families))
	for name := range o.families {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := o.families[name]
		slices.SortFunc(f.rows, byNumber)
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f s\t%.1f s\t  %s\n", name, f.ran, f.passed, f.ran-f.passed, f.longest.Seconds(), f.sum.Seconds(), strings.Join(f.rows, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d of %d specs passed in %.1f s; one after another they would take %.0f s.\n", o.passed, o.ran, o.wall.Seconds(), o.sum.Seconds())
	for _, line := range o.failed {
		fmt.Fprintln(w, "  "+line)
	}
	if len(o.failed) > 0 {
		fmt.Fprintf(w, "The evidence of each is in %s.\n", filepath.Join(directory, "failed"))
	}
	_, err := fmt.Fprintf(w, "The report is in %s: junit.xml, ginkgo.json.\n", directory)
	return err
}

// byNumber sorts K2 before K10.
func byNumber(a, b string) int {
	if a[0] != b[0] {
		return int(a[0]) - int(b[0])
	}
	x, _ := strconv.Atoi(a[1:])
	y, _ := strconv.Atoi(b[1:])
	return x - y
}

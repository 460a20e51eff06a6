package suite

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// outcome is what one executor has shown.
type outcome struct {
	executor string
	took     string // how long, and on what
	specs    types.SpecReports
	reasons  []string // why the run is red, beside the specs that failed
	green    bool     // Ginkgo's own verdict, and no reason against it
}

// The executors, as the flag -on and the reports name them.
const (
	onHost        = "host"
	inVirtualTime = "virtual"
)

func sumUp(executor string, report *gotest.Report) *outcome {
	where := "in virtual time, on"
	if executor == onHost {
		where = "on the running kernel,"
	}
	return &outcome{
		executor: executor, took: fmt.Sprintf("%.1f s %s %s", report.Took.Wall, where, report.Took.Kernel),
		specs: report.Specs(), reasons: report.Reasons(), green: report.Passed(),
	}
}

// family is the specs of one folder.
type family struct {
	name                   string
	passed, failed, absent int
	longest, sum           time.Duration
	rows                   []string
}

// families sums the specs up by folder, in the order of names, and all of them.
func (o *outcome) families() (families []*family, all *family) {
	byName := map[string]*family{}
	all = &family{}
	for _, spec := range o.specs {
		name := suites.Family(spec)
		f := byName[name]
		if f == nil {
			f = &family{name: name}
			byName[name] = f
			families = append(families, f)
		}
		f.add(spec)
		all.add(spec)
	}
	slices.SortFunc(families, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	for _, f := range families {
		slices.SortFunc(f.rows, catalogue.Compare)
	}
	return families, all
}

func (f *family) add(spec types.SpecReport) {
	switch spec.State {
	case types.SpecStateSkipped:
		f.absent++
		return
	case types.SpecStatePassed:
		f.passed++
	default:
		f.failed++
	}
	f.sum += spec.RunTime
	f.longest = max(f.longest, spec.RunTime)
	for _, label := range spec.Labels() {
		if catalogue.Known(label) && !slices.Contains(f.rows, label) {
			f.rows = append(f.rows, label)
		}
	}
}

func (o *outcome) print(w io.Writer, s suites.Settings) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nfamily\tpassed\tfailed\tskipped\tlongest\tsum\t  rows of the catalogue")
	families, all := o.families()
	for _, f := range families {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%s\t  %s\n", f.name, f.passed, f.failed, f.absent, span(f.longest), span(f.sum), strings.Join(f.rows, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(o.reasons) > 0 {
		fmt.Fprintf(w, "\nThe run has failed, whatever its specs say:\n  %s\n", strings.Join(o.reasons, "\n  "))
	}
	fmt.Fprintf(w, "\n%s\n%d of %d specs passed in %s.\nOne after another they would wait for %s.\n", o.behaviours(isPart(s)), all.passed, all.passed+all.failed, o.took, span(all.sum))
	if all.failed > 0 {
		for _, spec := range o.specs.WithState(types.SpecStateFailureStates) {
			fmt.Fprintf(w, "  %s: %s\n", spec.State, spec.FullText())
		}
		fmt.Fprintf(w, "The evidence of each is in %s.\nTo see it again: %s\n", filepath.Join(s.Report, report.Failed), again(o.executor, s))
	}
	if s.Shard != 0 {
		_, err := fmt.Fprintf(w, "This part of the report is in %s. To join those of all shards: make merge PARTS=\"…\"\n", s.Report)
		return err
	}
	_, err := fmt.Fprintf(w, "The report is in %s: index.html to look at, junit.xml, ginkgo.json.\n", s.Report)
	return err
}

// leftOut says whether any spec had that step to leave out; empty: none was to be.
func (o *outcome) leftOut(step string) bool {
	return step == "" || slices.ContainsFunc(o.specs, func(spec types.SpecReport) bool {
		return slices.Contains(suites.Entries(spec, harness.StepEntry), step)
	})
}

// again is the command that repeats a run: in virtual time, to the bit.
func again(executor string, s suites.Settings) string {
	target := "suite"
	if executor == onHost {
		target = "suite-host"
	}
	words := []string{"make", target, fmt.Sprintf("SEED=%d", s.Seed)}
	if s.LeaveOut != "" {
		words = slices.Insert(words, 0, environment.LeaveOut+"="+quoted(s.LeaveOut))
	}
	if s.Shard != 0 {
		words = append(words, fmt.Sprintf("SHARD=%d/%d", s.Shard, shard.Count))
	}
	if s.Procs != 0 {
		words = append(words, fmt.Sprintf("PROCS=%d", s.Procs))
	}
	if s.Memory != 0 {
		words = append(words, fmt.Sprintf("MEMORY=%d", s.Memory))
	}
	for _, setting := range []struct{ name, value string }{{"FOCUS", s.Focus}, {"MACHINE", s.Machine.Name}, {"KERNEL", s.Machine.Kernel}} {
		if setting.value != "" {
			words = append(words, setting.name+"="+quoted(strings.ReplaceAll(setting.value, "$", "$$"))) // make's own
		}
	}
	return strings.Join(words, " ")
}

// quoted is a text as one word of the shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// span is a time as people say it: seconds up to two minutes, hours from two on.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.1f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

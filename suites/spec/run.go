package spec

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Main is what TestMain calls. To list the specs nothing of the machine is needed.
func Main(m *testing.M) {
	if order, err := shard.ReadOrder(); err == nil && order.List != "" {
		os.Exit(m.Run())
	}
	harness.Main(m.Run)
}

// Run runs the specs, or what this process's order says.
func Run(t *testing.T, description string) {
	order, err := shard.ReadOrder()
	if err != nil {
		t.Fatal(err)
	}
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	if len(order.Only) > 0 {
		suite.FocusStrings = []string{exactly(description, order.Only)}
	}
	if order.List != "" {
		if err := list(PreviewSpecs(description, suite)).Write(order.List); err != nil {
			t.Fatal(err)
		}
		return
	}
	if order.Report == "" {
		RunSpecs(t, description, suite, reporter)
		return
	}
	ReportAfterSuite("", func(report Report) {
		Expect(write(report, order.Report)).To(Succeed())
	})
	RunSpecs(t, description, suite, reporter, AroundNode(recorded()))
}

// write writes a report, without the specs that were not to run.
func write(report Report, file string) error {
	report.SpecReports = slices.DeleteFunc(slices.Clone(report.SpecReports), func(spec SpecReport) bool { return !selected(spec) })
	return reporters.GenerateJSONReport(report, file)
}

// exactly is a regular expression for the specs with these texts, which Ginkgo puts the
// suite's description before.
func exactly(description string, texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = regexp.QuoteMeta(text)
	}
	return "^" + regexp.QuoteMeta(description) + " (?:" + strings.Join(quoted, "|") + ")$"
}

// recorded tells whoever started the guest that a spec has ended, once the first node of
// the spec has: its clean-ups take no time. A ReportAfterEach would cost more than the
// spec does, because Ginkgo calls it for each spec that is not to run as well.
func recorded() func(ctx context.Context, node func(context.Context)) {
	last := ""
	return func(ctx context.Context, node func(context.Context)) {
		defer func() {
			spec := CurrentSpecReport()
			if text := spec.FullText(); spec.LeafNodeType == types.NodeTypeIt && text != last {
				last = text
				if err := (shard.Record{Text: text}).Write(os.Stdout); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}
		}()
		node(ctx)
	}
}

// selected reports whether a spec was to run: the focus leaves others out, without a word.
func selected(spec SpecReport) bool {
	return spec.State != types.SpecStateSkipped || spec.FailureMessage() != ""
}

// list lists the specs of a report that are to run, in the order of the source.
func list(report Report) shard.List {
	specs := report.SpecReports.WithLeafNodeType(types.NodeTypeIt)
	specs = slices.DeleteFunc(specs, func(spec SpecReport) bool { return !selected(spec) })
	slices.SortStableFunc(specs, inSource)
	var l shard.List
	for _, spec := range specs {
		one := shard.Spec{Text: spec.FullText(), Wait: wait(spec), Cost: cost(spec)}
		if spec.IsInOrderedContainer {
			outermost := spec.ContainerHierarchyLocations[0]
			one.Group = fmt.Sprintf("%s:%d", outermost.FileName, outermost.LineNumber)
		}
		l = append(l, one)
	}
	return l
}

// inSource compares specs by where they are, from the outermost container inwards.
func inSource(a, b SpecReport) int {
	path := func(spec SpecReport) ([]types.CodeLocation, []string) {
		return append(slices.Clone(spec.ContainerHierarchyLocations), spec.LeafNodeLocation), append(slices.Clone(spec.ContainerHierarchyTexts), spec.LeafNodeText)
	}
	places, texts := path(a)
	otherPlaces, otherTexts := path(b)
	for i := range min(len(places), len(otherPlaces)) {
		if c := cmp.Or(strings.Compare(places[i].FileName, otherPlaces[i].FileName), places[i].LineNumber-otherPlaces[i].LineNumber, strings.Compare(texts[i], otherTexts[i])); c != 0 {
			return c
		}
	}
	return len(places) - len(otherPlaces)
}

// What the labels begin with that Waits and Costs give to a spec.
const (
	waits = "waits "
	costs = "costs "
)

// wait is the time that a spec waits.
func wait(spec SpecReport) time.Duration {
	d, err := time.ParseDuration(labelled(spec, waits))
	if err != nil {
		return 0
	}
	return d
}

// cost is how many ordinary specs a spec costs, beside its waits.
func cost(spec SpecReport) int {
	n, err := strconv.Atoi(labelled(spec, costs))
	if err != nil {
		return 1
	}
	return n
}

// labelled returns what follows in the label that begins so; empty: there is none.
func labelled(spec SpecReport, begins string) string {
	for _, label := range spec.Labels() {
		if rest, ok := strings.CutPrefix(label, begins); ok {
			return rest
		}
	}
	return ""
}

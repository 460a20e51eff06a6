package gotest

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// listing is what there is to run: the units, and what Ginkgo calls its suites.
type listing struct {
	list         shard.List
	descriptions map[shard.Suite]string
}

// chosen returns what of the list a run's settings choose.
func (l listing) chosen(s Settings) shard.List {
	if s.Only == nil {
		return l.list
	}
	return slices.DeleteFunc(slices.Clone(l.list), func(u shard.Unit) bool { return !s.Only(u) })
}

// listStart is the start of a Ginkgo suite that reports its specs and runs none.
type listStart struct {
	suite
	into string // where it leaves its report
}

// listStarts are the starts that list the Ginkgo suites of a run, which leave their
// reports below a directory.
func (t *Tests) listStarts(below string) (starts []listStart) {
	for i, s := range t.suites() {
		if s.ginkgo != "" {
			starts = append(starts, listStart{s, path.Join(below, fmt.Sprint(i))})
		}
	}
	return starts
}

// listArguments are those of a test binary that lists its specs. The seed decides their
// order alone, which the list does not keep.
func (t *Tests) listArguments(s listStart) []string {
	arguments := slices.Concat(t.flags.others, t.ginkgoArguments(s.suite, 1, noTimeout, s.into), []string{"--ginkgo.dry-run"})
	if t.focus != "" {
		arguments = append(arguments, "--ginkgo.focus="+t.focus)
	}
	return append(arguments, t.flags.arguments...)
}

// list makes the list of what the Ginkgo suites have reported, and of the plain tests.
func (t *Tests) list(reports map[shard.Suite]types.Report) (listing, error) {
	l := listing{descriptions: map[shard.Suite]string{}}
	for _, s := range t.suites() {
		if s.ginkgo == "" {
			l.list = append(l.list, t.plainUnits(s)...)
			continue
		}
		report := reports[s.id()]
		l.descriptions[s.id()] = report.SuiteDescription
		l.list = append(l.list, ginkgoUnits(s.id(), report, t.focus)...)
	}
	switch {
	case len(l.list) == 0 && t.focus != "":
		return l, fmt.Errorf("no spec's text matches %q", t.focus)
	case len(l.list) == 0:
		return l, fmt.Errorf("no spec is chosen of those in %d packages", len(t.packages))
	}
	return l, nil
}

// listed reads what a start that lists its specs has left in a directory.
func listed(s listStart, status int, directory string) (types.Report, error) {
	reports, err := readGinkgo(filepath.Join(directory, ginkgoFile))
	if err != nil || len(reports) == 0 {
		output, _ := os.ReadFile(filepath.Join(directory, outputFile))
		return types.Report{}, fmt.Errorf("listing the specs of %s: the test binary ended with status %d and left no list%s", s.path, status, printed(string(output)))
	}
	return reports[0], nil
}

// ginkgoUnits are the specs of a report that are to run, in the order of the source. Of
// those that are pending, Ginkgo does not say whether they have the focus.
func ginkgoUnits(suite shard.Suite, report types.Report, focus string) (l shard.List) {
	focused := regexp.MustCompile(focus)
	specs := report.SpecReports.WithLeafNodeType(types.NodeTypeIt)
	specs = slices.DeleteFunc(specs, func(spec types.SpecReport) bool {
		return !selected(spec) || spec.State.Is(types.SpecStatePending) && !focused.MatchString(report.SuiteDescription+" "+spec.FullText())
	})
	slices.SortStableFunc(specs, inSource)
	type place struct{ text, location string }
	same := map[place]int{} // how many specs have one text and one place
	for _, spec := range specs {
		same[place{spec.FullText(), spec.LeafNodeLocation.String()}]++
	}
	for _, spec := range specs {
		unit := shard.Unit{Suite: suite, Name: spec.FullText(), Location: spec.LeafNodeLocation.String()}
		unit.Wait, unit.Cost = shard.Estimate(spec.Labels())
		switch {
		case spec.IsInOrderedContainer:
			outermost := spec.ContainerHierarchyLocations[0]
			unit.Group = fmt.Sprintf("%s:%d", outermost.FileName, outermost.LineNumber)
		case same[place{unit.Name, unit.Location}] > 1: // nothing tells them apart
			unit.Group = unit.Location + " " + unit.Name
		}
		l = append(l, unit)
	}
	return l
}

// selected reports whether a spec was to run: a focus leaves others out, without a word.
func selected(spec types.SpecReport) bool {
	return spec.State != types.SpecStateSkipped || spec.FailureMessage() != ""
}

// inSource compares specs by where they are, from the outermost container inwards.
func inSource(a, b types.SpecReport) int {
	path := func(spec types.SpecReport) ([]types.CodeLocation, []string) {
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

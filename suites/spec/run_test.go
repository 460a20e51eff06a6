package spec

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// at is a spec in a file, in containers with these texts, each a line below the one before.
func at(file string, line int, state types.SpecState, texts ...string) types.SpecReport {
	spec := types.SpecReport{LeafNodeType: types.NodeTypeIt, State: state}
	for i, text := range texts {
		place := types.CodeLocation{FileName: file, LineNumber: line + i}
		if i == len(texts)-1 {
			spec.LeafNodeText, spec.LeafNodeLocation = text, place
			break
		}
		spec.ContainerHierarchyTexts = append(spec.ContainerHierarchyTexts, text)
		spec.ContainerHierarchyLocations = append(spec.ContainerHierarchyLocations, place)
	}
	return spec
}

func TestTheListIsInTheOrderOfTheSource(t *testing.T) {
	labelled := at("a.go", 9, types.SpecStatePassed, "a server", "dies")
	labelled.LeafNodeLabels = []string{"K1", waits + "1h30m0s", costs + "16"}
	ordered := at("b.go", 3, types.SpecStatePassed, "a table", "second")
	ordered.IsInOrderedContainer = true
	left := at("a.go", 1, types.SpecStateSkipped, "left out by the focus")
	got := list(types.Report{SpecReports: types.SpecReports{
		ordered, at("b.go", 1, types.SpecStatePassed, "a client", "over IPv6", "waits"), left,
		at("b.go", 1, types.SpecStatePassed, "a client", "over IPv4", "waits"), labelled,
		{LeafNodeType: types.NodeTypeReportAfterSuite, State: types.SpecStatePassed},
		at("c.go", 1, types.SpecStatePending, "pending"),
	}})
	want := shard.List{
		{Text: "a server dies", Wait: 90 * time.Minute, Cost: 16},
		{Text: "a client over IPv4 waits", Cost: 1},
		{Text: "a client over IPv6 waits", Cost: 1},
		{Text: "a table second", Group: "b.go:3", Cost: 1},
		{Text: "pending", Cost: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the list is\n%+v\nexpected\n%+v", got, want)
	}
}

func TestOnlyTheNamedSpecsMatch(t *testing.T) {
	r := regexp.MustCompile(exactly("half-open", []string{"resets (both) ends", "dies"}))
	for text, want := range map[string]bool{
		"half-open resets (both) ends": true, "half-open dies": true,
		"half-open dies twice": false, "half-open a client dies": false, "dies": false, "half-open resets both ends": false,
	} {
		if r.MatchString(text) != want {
			t.Errorf("%q: expected %v", text, want)
		}
	}
}

func TestLabelsSayWhatASpecWaitsAndCosts(t *testing.T) {
	t.Setenv(environment.VirtualTime, "1")
	var spec types.SpecReport
	for _, decorator := range append(Waits(25*time.Hour), Costs(7)) {
		labels, ok := decorator.(ginkgo.Labels)
		if !ok {
			t.Fatalf("%#v is no label: in virtual time the seed alone decides the order", decorator)
		}
		spec.LeafNodeLabels = append(spec.LeafNodeLabels, labels...)
	}
	if wait(spec) != 25*time.Hour || cost(spec) != 7 {
		t.Errorf("it waits %v and costs %d", wait(spec), cost(spec))
	}
}

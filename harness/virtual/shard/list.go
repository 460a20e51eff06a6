package shard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

// Suite identifies a report of a run: the plain tests of a package, or its Ginkgo specs.
type Suite struct {
	Package string // the import path
	// Ginkgo is the test function that runs the package's Ginkgo specs. Empty: the suite
	// is the package's plain tests.
	Ginkgo string `json:",omitempty"`
}

// Unit is what one shard runs as a whole: a test function with its subtests, or a Ginkgo
// spec.
type Unit struct {
	Suite
	Name string // of the test function, or the spec's text with those of its containers
	// Location is where the spec is in the source. Two specs of one text differ in it; a
	// test function needs none.
	Location string `json:",omitempty"`
	// Group keeps units of one suite in one shard, such as the specs of an ordered
	// container. Empty: the unit has no group.
	Group string        `json:",omitempty"`
	Wait  time.Duration `json:",omitempty"` // the time that it spends waiting
	Cost  int           // the processor time that it takes beside its waits; an ordinary unit takes 1
}

// List has the units of a run, in the order in which its report has them. The units of a
// suite are neighbours.
type List []Unit

// Suites returns the suites of the units at some places, in the order of the list.
func (l List) Suites(places []int) []Suite {
	var suites []Suite
	for _, place := range places {
		if s := l[place].Suite; len(suites) == 0 || suites[len(suites)-1] != s {
			suites = append(suites, s)
		}
	}
	return suites
}

// Of returns those of some places that have units of a suite.
func (l List) Of(suite Suite, places []int) (of []int) {
	for _, place := range places {
		if l[place].Suite == suite {
			of = append(of, place)
		}
	}
	return of
}

// All returns the places of all units.
func (l List) All() []int {
	places := make([]int, len(l))
	for place := range l {
		places[place] = place
	}
	return places
}

// digest identifies the list.
func (l List) digest() string {
	content, err := json.Marshal(l)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// identity is what a unit and the reports of its tests have in common.
type identity struct{ name, location string }

func (u Unit) identity() identity { return identity{u.Name, u.Location} }

// identityOf returns the identity of the unit that a report belongs to. A subtest belongs
// to its test function.
func (s Suite) identityOf(spec types.SpecReport) identity {
	if s.Ginkgo == "" {
		name, _, _ := strings.Cut(spec.LeafNodeText, "/")
		return identity{name: name}
	}
	return identity{spec.FullText(), spec.LeafNodeLocation.String()}
}

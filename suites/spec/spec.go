// Package spec is what every family of specs adds to Ginkgo: both address families,
// the waiting time and the catalogue's row as labels, what it needs, and what more than
// one family does.
//
// The specs of a family are in the ordinary files of its folder, not in _test.go
// files, so that one binary can hold all families.
package spec

import (
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/format"

	_ "github.com/halfopen-lab/halfopen/fixtures" // the programs that specs start
	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
	"github.com/halfopen-lab/halfopen/harness/environment"
	_ "github.com/halfopen-lab/halfopen/harness/proxy/server" // another of them
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

func init() {
	gomega.RegisterFailHandler(Fail)
	// Packets, states, addresses and durations say themselves in the texts of failures.
	format.UseStringerRepresentation = true
}

// Rows labels specs with the rows of the behaviour catalogue that they show.
func Rows(ids ...string) Labels {
	for _, id := range ids {
		if !catalogue.Known(id) {
			panic(fmt.Sprintf("there is no behaviour %q in fixtures/catalogue", id))
		}
	}
	return Label(ids...)
}

// Waits labels a spec with the time that it spends waiting. A wait longer than
// require.Patience needs virtual time, and the spec is skipped without it. In real time
// the longer waits start first, so that all of them overlap.
func Waits(d time.Duration) []any {
	labels := []any{Label(shard.WaitLabel(d))}
	if !environment.Read().VirtualTime {
		labels = append(labels, SpecPriority(int(d/time.Second)))
	}
	// What is known to be here need not be asked for by each of hundreds of specs.
	if require.Time(d) == nil {
		return labels
	}
	return append(labels, Needs(func() error { return require.Time(d) })...)
}

// Costs labels a spec that takes the processor time of so many ordinary ones, beside what
// its waits take: shards are to be of one size. An ordinary spec needs no such label.
func Costs(ordinary int) Labels { return Label(shard.CostLabel(ordinary)) }

// Needs skips a spec if the requirement is a *require.Missing, as in Needs(require.Netem).
// Whatever is missing, the last remedy is virtual time: make suite.
func Needs(requirement func() error) []any {
	return []any{AroundNode(func() {
		err := requirement()
		if missing, ok := errors.AsType[*require.Missing](err); ok {
			Skip(missing.Error() + " (make suite)")
		}
		if err != nil {
			Fail(err.Error())
		}
	})}
}

// EachFamily writes the same specs for IPv4 and for IPv6, and labels them so.
func EachFamily(specs func(family sock.Family)) {
	for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
		Context(fmt.Sprintf("over %v", family), Label(family.String()), func() { specs(family) })
	}
}

// Package spec contains what the families of specs add to Ginkgo: specs for both address
// families, labels for catalogue rows and waiting times, requirements, and steps and
// expectations that more than one family uses.
//
// The specs of a family are in the ordinary files of its folder, not in _test.go files, so
// that one binary can hold all families.
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
	// Failure texts show packets, states, addresses and durations as their String does.
	format.UseStringerRepresentation = true
}

// Rows labels specs with the ids of the catalogue rows that they show. It panics if the
// catalogue does not have an id.
func Rows(ids ...string) Labels {
	for _, id := range ids {
		if !catalogue.Known(id) {
			panic(fmt.Sprintf("there is no behaviour %q in fixtures/catalogue", id))
		}
	}
	return Label(ids...)
}

// Waits labels a spec with the time that it spends waiting. A spec that waits longer than
// require.Patience needs virtual time, and is skipped in real time. In real time the specs
// with the longest waits start first, so that all waits overlap.
func Waits(d time.Duration) []any {
	labels := []any{Label(shard.WaitLabel(d))}
	if !environment.Read().VirtualTime {
		labels = append(labels, SpecPriority(int(d/time.Second)))
	}
	// Without this, each of hundreds of specs would check what is known to be there.
	if require.Time(d) == nil {
		return labels
	}
	return append(labels, Needs(func() error { return require.Time(d) })...)
}

// Costs labels a spec with its processor time, in ordinary specs and apart from its waits, so
// that all shards take equally long. An ordinary spec needs no such label.
func Costs(ordinary int) Labels { return Label(shard.CostLabel(ordinary)) }

// Needs skips a spec if the requirement returns a *require.Missing, as in
// Needs(require.Netem), and fails the spec if it returns another error. Whatever is missing,
// virtual time has it: make suite.
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

// EachFamily defines the same specs for IPv4 and for IPv6, and labels them with the family.
func EachFamily(specs func(family sock.Family)) {
	for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
		Context(fmt.Sprintf("over %v", family), Label(family.String()), func() { specs(family) })
	}
}

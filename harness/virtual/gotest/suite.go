package gotest

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// suite is what a test binary runs in one start: the plain tests of its package, or its
// Ginkgo specs.
type suite struct {
	*testPackage
	ginkgo string // the function that runs the specs; empty: plain tests
}

// id is the suite in a list.
func (s suite) id() shard.Suite { return shard.Suite{Package: s.path, Ginkgo: s.ginkgo} }

// suites returns the suites that the flags choose, in the order of their packages.
func (t *Tests) suites() (all []suite) {
	for _, p := range t.packages {
		plain := false
		var ginkgo []suite
		for _, f := range p.functions {
			switch {
			case !t.chooses(f):
			case f.ginkgo:
				ginkgo = append(ginkgo, suite{p, f.name})
			default:
				plain = true
			}
		}
		if plain {
			all = append(all, suite{testPackage: p})
		}
		all = append(all, ginkgo...)
	}
	return all
}

// suite returns the suite of a list's.
func (t *Tests) suite(id shard.Suite) suite {
	for _, p := range t.packages {
		if p.path == id.Package {
			return suite{p, id.Ginkgo}
		}
	}
	panic("there is no package " + id.Package) // lists have only suites of ours
}

// plainUnits are a suite's plain tests.
func (t *Tests) plainUnits(s suite) (l shard.List) {
	for _, f := range s.functions {
		if !f.ginkgo && t.chooses(f) {
			l = append(l, shard.Unit{Suite: s.id(), Name: f.name, Cost: 1})
		}
	}
	return l
}

// The files that a start of a test binary leaves in its own directory of a report.
const (
	outputFile = "output" // what it has printed
	ginkgoFile = "specs.json"
)

// start is one of the starts of a suite, of as many as the flag -count says.
type start struct {
	suite
	description string // what Ginkgo calls the suite
	units       shard.List
	seed        int64
	into        string        // where it leaves its files
	timeout     time.Duration // unless the flags have one
}

// arguments are those of the test binary, and the binary itself is not among them.
func (t *Tests) arguments(s start) []string {
	timeout := cmp.Or(t.flags.timeout, s.timeout)
	var own []string
	if s.ginkgo == "" {
		own = []string{"-test.v=test2json", "-test.run=" + t.flags.run, "-test.skip=" + t.skipAllBut(s), fmt.Sprintf("-test.timeout=%v", timeout)}
	} else {
		own = append(t.ginkgoArguments(s.suite, s.seed, timeout, s.into), focusOn(s.description, s.units)...)
	}
	return slices.Concat(t.flags.others, own, t.flags.arguments)
}

// ginkgoArguments are those of every start of a Ginkgo suite, listing included.
func (t *Tests) ginkgoArguments(s suite, seed int64, timeout time.Duration, directory string) []string {
	return []string{
		"-test.run=^" + s.ginkgo + "$", fmt.Sprintf("--ginkgo.seed=%d", seed), fmt.Sprintf("--ginkgo.timeout=%v", timeout),
		"--ginkgo.succinct", "--ginkgo.no-color", "--ginkgo.json-report=" + path.Join(directory, ginkgoFile),
	}
}

// skipAllBut is the pattern of the tests that a start does not run: those that the user
// skips, and all others of the package. The pattern of those that run stays the user's,
// which may choose subtests.
func (t *Tests) skipAllBut(s start) string {
	wanted := map[string]bool{}
	for _, unit := range s.units {
		wanted[unit.Name] = true
	}
	var others []string
	for _, f := range s.functions {
		if !wanted[f.name] {
			others = append(others, f.name)
		}
	}
	var alternatives []string
	if t.flags.skip != "" {
		alternatives = append(alternatives, t.flags.skip)
	}
	if len(others) > 0 {
		alternatives = append(alternatives, "^("+strings.Join(others, "|")+")$")
	}
	return strings.Join(alternatives, "|")
}

// longestFocus is how many bytes one flag has at most: the kernel takes 128 KiB in one
// argument (execve(2), MAX_ARG_STRLEN).
const longestFocus = 64 << 10

// focusOn are the flags that choose Ginkgo specs of a suite by their whole texts. Ginkgo
// puts the suite's description before each text.
func focusOn(description string, units shard.List) (flags []string) {
	var texts []string
	bytes := 0
	for i, unit := range units {
		text := regexp.QuoteMeta(unit.Name)
		texts, bytes = append(texts, text), bytes+len(text)
		if bytes > longestFocus || i == len(units)-1 {
			flags = append(flags, "--ginkgo.focus=^"+regexp.QuoteMeta(description)+" (?:"+strings.Join(texts, "|")+")$")
			texts, bytes = nil, 0
		}
	}
	return flags
}

// environment is what a suite finds in its environment that it would not in another's: the
// evidence of failed tests goes below a directory. Where a run has several packages each
// has its own one there, so that tests of one name do not get mixed up.
func (t *Tests) environment(s suite, directory string) []string {
	if len(t.packages) > 1 {
		directory = path.Join(directory, s.path)
	}
	return []string{environment.Report + "=" + directory}
}

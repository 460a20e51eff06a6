package gotest

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Again says how one test is run again and again (Virtual.Again).
type Again struct {
	Seed  uint64        // decides everything random in the guest
	Limit time.Duration // after which virtual time a run is ended, unless the flag -timeout says it
	// Runs are the variables, NAME=VALUE, of each run.
	Runs [][]string
	// Into is the directory that receives what the runs leave.
	Into string
}

// Ran is what has come of one run of Virtual.Again.
type Ran struct {
	shard.SuiteReport
	Directory string // what the run has left in its report (variable HALFOPEN_REPORT)
}

// One returns the only test that is chosen: a test function with its subtests, or a Ginkgo spec.
// The error says what else is chosen.
func (v *Virtual) One() (shard.Unit, error) {
	if len(v.list) == 1 && v.tests.flags.count == 1 {
		return v.list[0], nil
	}
	const most = 5
	var names []string
	for _, unit := range v.list[:min(most, len(v.list))] {
		names = append(names, unit.Name)
	}
	if more := len(v.list) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return shard.Unit{}, fmt.Errorf("%d tests are chosen, and one is needed: %s", len(v.list)*v.tests.flags.count, strings.Join(names, ", "))
}

// Identity identifies, in one line, the kernel and the files of the guests.
func (v *Virtual) Identity() string { return v.machine.Kernel() + ", files " + v.digest }

// Again runs the only test that is chosen again and again in one guest: the test binary is started
// for each run, one after another. When ctx ends, the runs have no results.
func (v *Virtual) Again(ctx context.Context, a Again) ([]Ran, error) {
	if _, err := v.One(); err != nil {
		return nil, err
	}
	all := v.list.All()
	once := v.tests.starts(v.listing, v.list, all, start{seed: int64(a.Seed), timeout: a.Limit})[0]
	var starts []start
	var commands []guest.Command
	for i, variables := range a.Runs {
		s := once
		s.into = path.Join(handedOut, startsDirectory, fmt.Sprint(i))
		c := v.command(s.suite, s.into, v.tests.arguments(s))
		c.Environment = slices.Concat(c.Environment, []string{environment.Report + "=" + s.into}, variables)
		starts, commands = append(starts, s), append(commands, c)
	}
	g := v.guest(v.list.Suites(all), commands)
	g.Seed, g.Memory, g.Into = a.Seed, v.memory, a.Into
	result, err := g.Run(ctx)
	if err != nil {
		return nil, err
	}
	var ran []Ran
	for _, o := range outcomes(starts, result.Commands, a.Into) {
		report, err := v.tests.report(o)
		if err != nil {
			return nil, err
		}
		ran = append(ran, Ran{report, filepath.Join(a.Into, startsDirectory, path.Base(o.into))})
	}
	return ran, nil
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	flag "github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// What is explored: a client with a mistake, in runs that are a batch for each shard.
const (
	exploredProgram = "./fixtures/programs/seeded/lost"
	exploredFile    = "halfopen.yaml"
	exploredText    = `client: ./lost {server}:{port}
port: 5000
conversation:
  answers: [{to: {pattern: 'do ([0-9]+)\n'}, with: 'done \1\n'}]
`
	exploredRuns   = 4 * explore.BatchSize
	exploredShards = 4
)

// Explore is the command bench-explore. It prints how many runs of an exploration are made in a
// second, on one core and on all, and what cutting it into shards costs.
func Explore(ctx context.Context, arguments []string) (well bool, err error) {
	if err := suites.Parse(flag.NewFlagSet("bench-explore", flag.ContinueOnError), arguments); err != nil {
		return false, err
	}
	directory, err := os.MkdirTemp("", "halfopen-bench-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	for program, from := range map[string]string{"halfopen": "./cmd/halfopen", "lost": exploredProgram} {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(directory, program), from).CombinedOutput(); err != nil {
			return false, fmt.Errorf("building %s: %w\n%s", from, err, out)
		}
	}
	if err := atomicfile.WriteFile(filepath.Join(directory, exploredFile), []byte(exploredText), 0o644); err != nil {
		return false, err
	}
	cores, err := virtual.Cores()
	if err != nil {
		return false, err
	}
	one, err := exploreOn(ctx, directory, cores[:1], "1/1")
	if err != nil {
		return false, err
	}
	all, err := exploreOn(ctx, directory, cores, "1/1")
	if err != nil {
		return false, err
	}
	var shards exploreCost
	for n := range exploredShards {
		s, err := exploreOn(ctx, directory, cores, explore.Shard{Number: n + 1, Of: exploredShards}.String())
		if err != nil {
			return false, err
		}
		shards.wall, shards.processor = shards.wall+s.wall, shards.processor+s.processor
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d runs of an exploration\twall\truns a second\tprocessor\tagainst one process\n", exploredRuns)
	for _, row := range []struct {
		what string
		exploreCost
	}{{"one core", one}, {fmt.Sprintf("%d cores", len(cores)), all}, {fmt.Sprintf("%d shards, one after another", exploredShards), shards}} {
		fmt.Fprintf(table, "%s\t%.1f s\t%.1f\t%.1f s\t%.2f\n", row.what, row.wall.Seconds(), exploredRuns/row.wall.Seconds(), row.processor.Seconds(), row.processor.Seconds()/all.processor.Seconds())
	}
	return true, table.Flush()
}

// exploreCost is what an exploration takes, with all its guests.
type exploreCost struct{ wall, processor time.Duration }

// exploreOn makes a shard of the exploration on some cores.
func exploreOn(ctx context.Context, directory string, cores []int, shard string) (exploreCost, error) {
	report, err := os.MkdirTemp(directory, "report-")
	if err != nil {
		return exploreCost{}, err
	}
	cmd := exec.CommandContext(ctx, "./halfopen", "explore", "-f", exploredFile, "--runs", fmt.Sprint(exploredRuns), "--shard", shard, "--report", report)
	cmd.Dir = directory
	began, ended := time.Now(), make(chan error)
	go func() {
		runtime.LockOSThread() // for good: what it starts has its cores
		var of unix.CPUSet
		for _, core := range cores {
			of.Set(core)
		}
		if err := unix.SchedSetaffinity(0, &of); err != nil {
			ended <- err
			return
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("exploring %s: %w\n%s", shard, err, out)
		}
		ended <- err
	}()
	if err := <-ended; err != nil {
		return exploreCost{}, err
	}
	return exploreCost{time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

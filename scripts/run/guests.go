package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// DefaultMemory is the memory of each guest in MiB: a test process takes some 40.
const DefaultMemory = 2048

// guestProcs are as many test processes as are worth their memory: they share one
// processor, and mostly wait.
const guestProcs = 16

// WallFile is the one file of a report in virtual time that is not the same, byte for
// byte, for the same seed.
const WallFile = "wall.json"

// A half is the part of the specs that one guest runs. A guest has one processor, and
// the specs over the two address families are twins: two guests side by side take
// half the time, on a machine with two cores. What there is over one family only is
// labelled where it belongs (suites/spec, SecondGuest).
type half struct {
	name   string // the address family
	filter string // of labels
}

var halves = []half{{"IPv4", "!IPv6 && !second-guest"}, {"IPv6", "IPv6 || second-guest"}}

// Virtual runs the suites in guests with virtual time, to their end or until ctx
// ends, and returns Ginkgo's report and what the guests took: the time of the slower
// one, and the sum of what else they used. What is an error is as with Host.
func (s Suites) Virtual(ctx context.Context) ([]types.Report, virtual.Result, error) {
	guests, err := s.Guests(ctx)
	if err != nil {
		return nil, virtual.Result{}, err
	}
	return guests.Run(ctx, s.Report)
}

// Guests are the machines that run the suites in virtual time, ready to be started
// any number of times.
type Guests struct {
	suites  Suites
	machine virtual.Machine
	files   *virtual.Files
}

// tested are the programs that specs test, each with its package.
var tested = []struct{ program, from string }{
	{"freeDiameterd", "freediameterd"}, {"nginx", "libnginx-mod-stream"}, {"haproxy", "haproxy"},
}

// Guests builds what the guests need. A later change of the sources does not reach
// them.
func (s Suites) Guests(ctx context.Context) (*Guests, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Memory == 0 {
		s.Memory = DefaultMemory
	}
	g := &Guests{suites: s, files: &virtual.Files{}}
	if err := debian.Tools(ctx, g.files); err != nil {
		return nil, err
	}
	for _, t := range tested {
		if err := debian.Put(ctx, g.files, t.from, t.program); err != nil {
			return nil, err
		}
	}
	// Programs look their user up, nginx even when it is to stay root.
	g.files.Write("/etc/passwd", []byte("root:x:0:0:root:/tmp:/usr/bin/sh\n"), 0o644)
	g.files.Write("/etc/group", []byte("root:x:0:\n"), 0o644)
	if err := addPrograms(ctx, g.files, append(suites, process1)...); err != nil {
		return nil, err
	}
	var err error
	g.machine, err = machine.Find(ctx, s.Machine, os.Stderr)
	return g, err
}

// Run runs the suites and writes the report into a directory, as Suites.Virtual does.
func (g *Guests) Run(ctx context.Context, directory string) ([]types.Report, virtual.Result, error) {
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	later := &bytes.Buffer{} // what the second guest prints is shown after the first's
	outputs := []io.Writer{g.suites.Output, later}
	results := make([]virtual.Result, len(halves))
	var group sync.WaitGroup
	for i, h := range halves {
		group.Go(func() {
			var err error
			results[i], err = g.guest(h, directory, outputs[i]).Run(running)
			if err != nil {
				// The first error is the one to tell. The other guest still hands its
				// report out.
				end(fmt.Errorf("the specs over %s: %w", h.name, err))
			}
		})
	}
	group.Wait()
	if g.suites.Output != nil {
		_, _ = io.Copy(g.suites.Output, later)
	}
	result := sum(results)
	report, err := mergeReports(directory)
	switch {
	case ctx.Err() == nil && running.Err() != nil:
		return nil, result, context.Cause(running)
	case ctx.Err() != nil && err != nil:
		return nil, result, context.Cause(ctx) // it came before there was anything to report
	case err != nil:
		return nil, result, err
	}
	reports := []types.Report{report}
	return reports, result, cmp.Or(writeWall(directory, result), ran(g.suites.Focus, reports))
}

func sum(results []virtual.Result) virtual.Result {
	var all virtual.Result
	for _, r := range results {
		all.Kernel = r.Kernel
		all.Wall, all.Virtual, all.Booted = max(all.Wall, r.Wall), max(all.Virtual, r.Virtual), max(all.Booted, r.Booted)
		all.CPU, all.Memory = all.CPU+r.CPU, all.Memory+r.Memory
	}
	return all
}

// guest is the machine for one half.
func (g *Guests) guest(h half, into string, output io.Writer) *virtual.Guest {
	const report = "/report"
	s := g.suites
	arguments := append(s.arguments(guestProcs, report),
		"-timeout=8760h", // virtual hours pass quickly, and a guest that hangs is noticed
		"-json-report="+h.reportName(), "-label-filter="+h.filter, "./suites.test")
	return &virtual.Guest{
		Machine: g.machine, Files: g.files, Memory: s.Memory, Seed: uint64(s.Seed),
		Command: append([]string{"./ginkgo"}, arguments...), Dir: "/suites",
		Env: append(s.environment(report), "PATH=/usr/sbin:/usr/bin", "HOME=/tmp",
			private.Marker+"=guest", // as private as a machine can be
			require.Virtual+"=1", require.OneFamily+"="+h.name,
			// Connections that are closed when they are idle: those of Ginkgo's other
			// protocol stay, and each end's keepalive wakes the guest every 15 s.
			"GINKGO_PARALLEL_PROTOCOL=HTTP",
			// Go collects garbage every two minutes if nothing else makes it: thirty
			// times an idle hour, in each process. (See also harness/virtual/idle.)
			"GOGC=off", "GOMEMLIMIT=64MiB",
			// What is set is not looked up again and again.
			"GOMAXPROCS=1"),
		Report: report, Into: into, Console: output,
	}
}

// writeWall writes the figures that differ from run to run.
func writeWall(directory string, result virtual.Result) error {
	content, err := json.MarshalIndent(struct {
		WallSeconds      float64 `json:"wall_seconds"`
		ProcessorSeconds float64 `json:"processor_seconds"`
		VirtualSeconds   float64 `json:"virtual_seconds"`
		BootSeconds      float64 `json:"virtual_boot_seconds"`
		MemoryBytes      int64   `json:"memory_bytes"`
	}{result.Wall.Seconds(), result.CPU.Seconds(), result.Virtual.Seconds(), result.Booted.Seconds(), result.Memory}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, WallFile), append(content, '\n'), 0o644)
}

package run

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/installed"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Virtual runs the suites in guests with virtual time, to their end or until ctx ends, and
// returns Ginkgo's report and what the guests took. What is an error is as with Host.
func (s Suites) Virtual(ctx context.Context) ([]types.Report, Result, error) {
	guests, err := s.Guests(ctx)
	if err != nil {
		return nil, Result{}, err
	}
	return guests.Run(ctx, s.Report)
}

// Guests are the machines that run the suites in virtual time, one for each shard, ready
// to be started any number of times.
type Guests struct {
	suites  Suites
	machine virtual.Machine
	files   *virtual.Files
	digest  string // of the files
	list    shard.List
	shards  [shard.Count][]int // the places in the list of the specs of each

	// AtOnce is how many guests run at once; zero: as many as there are cores. It changes
	// no byte of the report.
	AtOnce int
}

// Guests builds what the guests need, and decides which of them runs which specs. A later
// change of the sources does not reach them.
func (s Suites) Guests(ctx context.Context) (*Guests, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	s.Memory = cmp.Or(s.Memory, shard.Memory)
	g := &Guests{suites: s, files: &virtual.Files{}}
	if err := g.build(ctx); err != nil {
		return nil, err
	}
	if err := debian.Tools(ctx, g.files); err != nil {
		return nil, err
	}
	for _, p := range installed.All() {
		if err := debian.Put(ctx, g.files, p.Package, p.Name); err != nil {
			return nil, err
		}
	}
	// Programs look their user up, nginx even when it is to stay root.
	g.files.Write("/etc/passwd", []byte("root:x:0:0:root:/tmp:/usr/bin/sh\n"), 0o644)
	g.files.Write("/etc/group", []byte("root:x:0:\n"), 0o644)
	var err error
	if g.digest, err = g.files.Digest(); err != nil {
		return nil, err
	}
	g.machine, err = machine.Find(ctx, s.Machine, os.Stderr)
	return g, err
}

// build builds the programs and lists the specs.
func (g *Guests) build(ctx context.Context) error {
	directory, err := os.MkdirTemp("", "halfopen-build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if err := addPrograms(ctx, g.files, directory, append(programs, process1)...); err != nil {
		return err
	}
	if g.list, err = g.suites.listSpecs(ctx, directory); err != nil {
		return err
	}
	if len(g.list) == 0 {
		return fmt.Errorf("no spec's text matches %q (FOCUS)", g.suites.Focus)
	}
	g.shards = g.list.Assign()
	return nil
}

// Run runs the suites, or the one shard of them that was chosen, and writes the report
// into a directory, as Suites.Virtual does. The report of one shard is a part, for Merge.
func (g *Guests) Run(ctx context.Context, directory string) ([]types.Report, Result, error) {
	if n := g.suites.Shard; n != 0 {
		return g.runOne(ctx, n, directory)
	}
	parts := filepath.Join(directory, "parts")
	defer func() { _ = os.RemoveAll(parts) }()
	began := time.Now()
	results, runErr := g.runAll(ctx, parts)
	result := total(g.machine.Kernel(), elapsed(began), figures(results))
	if runErr != nil && ctx.Err() == nil {
		return nil, result, runErr
	}
	var directories, missing []string
	for _, r := range results {
		switch {
		case r.reported:
			directories = append(directories, r.directory)
		case r.Specs > 0:
			missing = append(missing, fmt.Sprintf("shard %d/%d left no report", r.Shard, shard.Count))
		default:
			missing = append(missing, fmt.Sprintf("shard %d/%d did not run", r.Shard, shard.Count))
		}
	}
	if len(directories) == 0 {
		return nil, result, context.Cause(ctx) // it came before there was anything to report
	}
	report, err := join(directory, directories, missing)
	if err != nil {
		return nil, result, err
	}
	reports := []types.Report{report}
	return reports, result, errors.Join(result.write(directory), ran(g.suites.Focus, reports))
}

// runOne runs one shard.
func (g *Guests) runOne(ctx context.Context, n int, directory string) ([]types.Report, Result, error) {
	p := g.progress(len(g.shards[n-1]))
	defer p.clear()
	s, err := g.runShard(ctx, n, directory, p)
	result := total(g.machine.Kernel(), s.Wall, figures([]shardResult{s}))
	if err != nil && (ctx.Err() == nil || !s.reported) {
		return nil, result, err
	}
	if err := result.write(directory); err != nil || s.Specs == 0 {
		return nil, result, err
	}
	reports, err := shard.Read(directory)
	return reports, result, err
}

// runAll runs the shards that have specs, as many at once as there are cores. After the
// first error, which it returns, the other guests still hand their reports out.
func (g *Guests) runAll(ctx context.Context, parts string) ([]shardResult, error) {
	cores, err := virtual.Cores()
	if err != nil {
		return nil, err
	}
	free := make(chan struct{}, cmp.Or(g.AtOnce, len(cores)))
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	p := g.progress(len(g.list))
	defer p.clear()
	var results []shardResult
	for i, places := range g.shards {
		if len(places) > 0 {
			results = append(results, shardResult{Figures: Figures{Shard: i + 1}})
		}
	}
	var group sync.WaitGroup
	for i := range results {
		r := &results[i]
		select {
		case free <- struct{}{}:
		case <-running.Done():
			continue
		}
		group.Go(func() {
			defer func() { <-free }()
			var err error
			if *r, err = g.runShard(running, r.Shard, filepath.Join(parts, fmt.Sprint(r.Shard)), p); err != nil {
				end(err)
			}
		})
	}
	group.Wait()
	return results, context.Cause(running)
}

// progress tells how so many specs come along.
func (g *Guests) progress(specs int) *progress {
	return &progress{to: g.suites.Output, terminal: g.suites.Colour, ended: g.suites.Ended, specs: specs}
}

// shardResult is what came of a shard.
type shardResult struct {
	Figures
	directory string // of its report
	reported  bool   // also where it was interrupted
}

func figures(results []shardResult) []Figures {
	all := []Figures{}
	for _, r := range results {
		if r.Specs > 0 {
			all = append(all, r.Figures)
		}
	}
	return all
}

// runShard runs a shard and leaves its part in a directory. The error is the context's
// where that has ended.
func (g *Guests) runShard(ctx context.Context, n int, directory string, p *progress) (shardResult, error) {
	places := g.shards[n-1]
	r := shardResult{Figures: Figures{Shard: n, Specs: len(places)}, directory: directory}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return r, err
	}
	part := shard.Part{Shard: n, Places: places, Run: shard.Run{
		Seed: g.suites.Seed, Focus: g.suites.Focus, LeaveOut: g.suites.LeaveOut,
		Kernel: g.machine.Kernel(), Memory: g.suites.Memory, Programs: g.digest,
	}}
	if len(places) == 0 {
		_, err := part.Write(directory, g.list)
		return r, err
	}
	output := &shard.Records{Each: p.specEnded}
	guest, err := g.guest(places, directory, output)
	if err != nil {
		return r, err
	}
	result, runErr := guest.Run(ctx)
	r.add(result)
	if runErr != nil && ctx.Err() == nil {
		return r, fmt.Errorf("shard %d/%d: %w", n, shard.Count, runErr)
	}
	report, err := part.Write(directory, g.list)
	r.reported = err == nil
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	if err != nil {
		return r, fmt.Errorf("shard %d/%d ended with status %d: %w\nIt has printed:\n%s", n, shard.Count, result.Status, err, output.Rest())
	}
	p.shardEnded(r.Figures, report)
	return r, nil
}

// guest is the machine for the specs at those places in the list.
func (g *Guests) guest(places []int, into string, output io.Writer) (*virtual.Guest, error) {
	const (
		report = "/report"
		order  = "/suites/order.json"
	)
	s := g.suites
	settings := s.environment(report, order)
	settings.VirtualTime, settings.Private = true, true // as private as a machine can be
	content, err := shard.Order{Only: g.list.Texts(places), Report: report + "/" + shard.JSONFile}.Encode()
	if err != nil {
		return nil, err
	}
	files := g.files.Clone()
	files.Write(order, content, 0o644)
	return &virtual.Guest{
		Machine: g.machine, Files: files, Memory: s.Memory, Seed: uint64(s.Seed),
		Command: []string{"./suites.test",
			fmt.Sprintf("--ginkgo.seed=%d", s.Seed), "--ginkgo.randomize-all", "--ginkgo.fail-on-pending",
			"--ginkgo.timeout=87600h", // virtual hours pass quickly, and a guest that hangs is noticed
			"--ginkgo.silence-skips", "--ginkgo.succinct", "--ginkgo.no-color"},
		Dir: "/suites",
		Env: append(settings.Variables(), "PATH=/usr/sbin:/usr/bin", "HOME=/tmp",
			// Go collects garbage every two minutes if nothing else makes it: thirty times
			// an idle hour, in each process.
			"GOGC=off", "GOMEMLIMIT=128MiB",
			// What is set is not looked up again and again.
			"GOMAXPROCS=1"),
		Report: report, Into: into, Console: output,
	}, nil
}

// listSpecs asks the compiled suites in a directory which specs there are.
func (s Suites) listSpecs(ctx context.Context, directory string) (shard.List, error) {
	file := filepath.Join(directory, "list.json")
	order, remove, err := writeOrder(shard.Order{List: file, Only: s.Only})
	if err != nil {
		return nil, err
	}
	defer remove()
	arguments := []string{}
	if s.Focus != "" {
		arguments = append(arguments, "--ginkgo.focus="+s.Focus)
	}
	cmd := inGroup(ctx, unix.SIGINT, filepath.Join(directory, suitesBinary), arguments...)
	cmd.Env = append(os.Environ(), environment.Settings{Order: order, VirtualTime: true}.Variables()...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("listing the specs: %w\n%s", err, strings.TrimSpace(output.String()))
	}
	return shard.ReadList(file)
}

// writeOrder writes an order for a process on this machine.
func writeOrder(o shard.Order) (file string, remove func(), err error) {
	content, err := o.Encode()
	if err != nil {
		return "", nil, err
	}
	f, err := os.CreateTemp("", "halfopen-order-")
	if err != nil {
		return "", nil, err
	}
	_, err = f.Write(content)
	return f.Name(), func() { _ = os.Remove(f.Name()) }, errors.Join(err, f.Close())
}

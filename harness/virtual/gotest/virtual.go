package gotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/harness/virtual/um"
)

// VirtualConfig describes the guests that tests run in. The zero value is the default
// machine.
type VirtualConfig struct {
	Machine machine.Want
	// Memory is that of each guest, in MiB. Zero: as much as the tests' files need, and
	// shard.Memory at least.
	Memory int
	// Root is the root file system of every guest, without what the tests' packages add to
	// it. If it has no process 1 (virtual.InitFile), that is the running binary, whose main
	// function must call reexec.Main. Virtual finishes it. Nil: what root.New returns.
	Root *root.FileSystem
	// Environment is that of the tests: NAME=VALUE, in addition to virtual.Environment.
	Environment []string
	// Progress receives what is said while a kernel is fetched or built. Nil: os.Stderr.
	Progress io.Writer
}

// Check returns an error, in one line, if the configuration makes no sense.
func (c VirtualConfig) Check() error {
	if c.Memory != 0 {
		if err := virtual.CheckMemory(c.Memory); err != nil {
			return err
		}
	}
	return c.Machine.Check()
}

// Virtual is tests that are ready to run in virtual time, any number of times.
type Virtual struct {
	listing
	tests    *Tests
	config   VirtualConfig
	machine  virtual.Machine
	digest   string         // of the files of the guests
	base     *virtual.Files // what every guest has
	packages map[string]content
	memory   int // of each guest, in MiB
	shards   [shard.Count][]int
}

// Virtual finds the machine, reads what the guests need, and has the Ginkgo suites list
// their specs in a guest. Later changes of the sources do not reach the run.
func (t *Tests) Virtual(ctx context.Context, c VirtualConfig) (*Virtual, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Progress == nil {
		c.Progress = os.Stderr
	}
	v := &Virtual{tests: t, config: c, packages: map[string]content{}}
	if err := v.read(ctx); err != nil {
		return nil, err
	}
	var err error
	if v.machine, err = machine.Find(ctx, c.Machine, c.Progress); err != nil {
		return nil, err
	}
	if err := v.checkRace(); err != nil {
		return nil, err
	}
	return v, v.listUnits(ctx)
}

// checkRace returns an error if a test binary has the race detector and the machine has no
// room for it. Its memory has fixed addresses, which a user-mode kernel's programs do not
// have (compiler-rt, tsan_platform.h).
func (v *Virtual) checkRace() error {
	for _, p := range v.tests.packages {
		if _, userMode := v.machine.(*um.Machine); userMode && p.setting("-race") == "true" {
			return errors.New("the race detector does not run on the user-mode kernel: leave -race out, or run the tests on the machine qemu, or on the running kernel")
		}
	}
	return nil
}

// read reads what the guests need.
func (v *Virtual) read(ctx context.Context) error {
	system := v.config.Root
	if system == nil {
		var err error
		if system, err = root.New(ctx); err != nil {
			return err
		}
	}
	v.base = system.Files
	for _, s := range v.tests.suites() {
		if _, read := v.packages[s.path]; read {
			continue
		}
		c, err := contentOf(s.testPackage)
		if err != nil {
			return err
		}
		v.packages[s.path] = c
	}
	if err := v.digestAll(); err != nil || v.base.Has(virtual.InitFile) {
		return err
	}
	return root.AddSelf(v.base, self)
}

// memoryOf is the memory, in MiB, of a guest that has the packages of some suites.
func (v *Virtual) memoryOf(suites []shard.Suite) int {
	if v.config.Memory != 0 {
		return v.config.Memory
	}
	size, counted := v.base.Size(), map[string]bool{}
	for _, s := range suites {
		if c := v.packages[s.Package]; !counted[s.Package] {
			size += c.tree.Size() + c.binary.Size()
		}
		counted[s.Package] = true
	}
	return memoryFor(size)
}

// memoryFor is the memory, in MiB, of a guest with files of so many bytes: it holds them
// twice while it boots, and the tests need some. It grows in large steps: what the kernel
// derives from its memory is to change rarely.
func memoryFor(bytes int64) int {
	const step = 256
	needed := int(2*bytes>>20) + step
	return max(shard.Memory, (needed+step-1)/step*step)
}

// self is the running binary in a guest. It is not in the digest: two builds of it may
// differ, and do the same.
const self = "/usr/lib/halfopen"

// digestAll identifies the files of the guests.
func (v *Virtual) digestAll() error {
	of, err := v.base.Digest()
	texts := []string{of}
	for _, name := range slices.Sorted(maps.Keys(v.packages)) {
		texts = append(texts, v.packages[name].digest)
	}
	v.digest = digestOf(texts...)
	return err
}

// handedOut is the directory of a guest that is handed out.
const handedOut = "/halfopen-report"

// guest is a machine that runs commands with the packages that some suites are of.
func (v *Virtual) guest(suites []shard.Suite, commands []guest.Command) *virtual.Guest {
	files := v.base.Clone()
	for _, id := range suites {
		v.packages[id.Package].putInto(files, v.tests.suite(id).testPackage)
	}
	return &virtual.Guest{
		Machine: v.machine, Files: files, Memory: v.memoryOf(suites),
		Commands: commands, Environment: v.config.Environment, Report: handedOut,
	}
}

// command starts a suite's test binary.
func (v *Virtual) command(s suite, directory string, arguments []string) guest.Command {
	return guest.Command{
		Arguments: append([]string{s.binaryName()}, arguments...), Directory: s.source,
		Environment: v.tests.environment(s, handedOut), Output: path.Join(directory, outputFile),
	}
}

// listUnits lists the specs of the Ginkgo suites, in a guest for each: what is around the
// specs may need what a guest has.
func (v *Virtual) listUnits(ctx context.Context) error {
	starts := v.tests.listStarts(handedOut)
	reports := make([]types.Report, len(starts))
	err := virtual.SideBySide(ctx, len(starts), 0, func(ctx context.Context, i int) (err error) {
		reports[i], err = v.listOne(ctx, starts[i])
		return err
	})
	if err != nil {
		return err
	}
	bySuite := map[shard.Suite]types.Report{}
	for i, s := range starts {
		bySuite[s.id()] = reports[i]
	}
	if v.listing, err = v.tests.list(bySuite); err != nil {
		return err
	}
	v.shards = v.list.Assign()
	v.memory = 0
	for _, places := range v.shards {
		v.memory = max(v.memory, v.memoryOf(v.list.Suites(places)))
	}
	return nil
}

// listOne lists the specs of a suite.
func (v *Virtual) listOne(ctx context.Context, s listStart) (types.Report, error) {
	directory, err := os.MkdirTemp("", "halfopen-list-")
	if err != nil {
		return types.Report{}, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	one := v.guest([]shard.Suite{s.id()}, []guest.Command{v.command(s.suite, s.into, v.tests.listArguments(s))})
	one.Seed, one.Into = 1, directory
	result, err := one.Run(ctx)
	if err != nil {
		return types.Report{}, fmt.Errorf("listing the specs of %s: %w", s.path, err)
	}
	return listed(s, result.Status(), filepath.Join(directory, path.Base(s.into)))
}

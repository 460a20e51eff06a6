package gotest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// VirtualConfig describes the guests that tests run in. The zero value is the default
// machine.
type VirtualConfig struct {
	Machine machine.Want
	// Memory is that of each guest, in MiB. Zero: as much as the tests' files need, and
	// shard.Memory at least.
	Memory int
	// Files is added to the root file system of every guest, which has iptables, a shell
	// and the directories of the packages. If it has no /init, this program itself is
	// process 1, and calls guest.Main there. Nil: nothing is added.
	Files *virtual.Files
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
	return v, v.listUnits(ctx)
}

// read reads what the guests need.
func (v *Virtual) read(ctx context.Context) error {
	v.base = &virtual.Files{}
	if err := debian.Tools(ctx, v.base); err != nil {
		return err
	}
	// Programs look their user up, and the names of this host.
	v.base.Write("/etc/passwd", []byte("root:x:0:0:root:/root:/usr/bin/sh\n"), 0o644)
	v.base.Write("/etc/group", []byte("root:x:0:\n"), 0o644)
	v.base.Write("/etc/hosts", []byte("127.0.0.1 localhost guest\n::1 localhost\n"), 0o644)
	v.base.Directory("/root", 0o700)
	if v.config.Files != nil {
		v.base.Add("/", v.config.Files)
	}
	if !v.base.Has("/init") {
		own, err := os.Executable()
		if err != nil {
			return fmt.Errorf("looking for this program's own file: %w", err)
		}
		if err := v.base.Copy("/init", own); err != nil {
			return err
		}
	}
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
	return nil
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

// digest identifies the files of the guests, but process 1.
func (v *Virtual) digest() (string, error) {
	base := v.base.Clone()
	base.Write("/init", nil, 0o755)
	of, err := base.Digest()
	texts := []string{of}
	for _, name := range slices.Sorted(maps.Keys(v.packages)) {
		texts = append(texts, v.packages[name].digest)
	}
	return digestOf(texts...), err
}

// handedOut is the directory of a guest that is handed out.
const handedOut = "/report"

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
	err := sideBySide(ctx, len(starts), 0, func(ctx context.Context, i int) (err error) {
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

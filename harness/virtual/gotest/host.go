package gotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// HostConfig describes how tests run on the running kernel, in real time. The zero value
// runs each suite in one process.
type HostConfig struct {
	// Procs is how many processes share the specs of a Ginkgo suite, up to 1000. Zero: one.
	// For more the module needs Ginkgo's command (go get -tool
	// github.com/onsi/ginkgo/v2/ginkgo), and the specs run in another directory than their
	// package's.
	Procs int
	// Environment is added to this process's for the tests: NAME=VALUE.
	Environment []string
}

// Check returns an error, in one line, if the configuration makes no sense.
func (c HostConfig) Check() error {
	if c.Procs < 0 || c.Procs > 1000 {
		return fmt.Errorf("%d test processes: choose from 1 to 1000", c.Procs)
	}
	return nil
}

// Host is tests that are ready to run on the running kernel, any number of times.
type Host struct {
	listing
	tests  *Tests
	config HostConfig
	ginkgo string // the file of Ginkgo's command; empty: none is needed
}

// hostTimeout is how long a suite may take unless the flags say otherwise, as with go
// test.
const hostTimeout = 10 * time.Minute

// Host has the Ginkgo suites list their specs.
func (t *Tests) Host(ctx context.Context, c HostConfig) (*Host, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	h := &Host{tests: t, config: c}
	below, err := os.MkdirTemp("", "halfopen-list-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(below) }()
	reports := map[shard.Suite]types.Report{}
	for _, s := range t.listStarts(below) {
		p := process{suite: s.suite, file: s.binary, arguments: t.listArguments(s), into: s.into, environment: c.Environment}
		status, err := p.run(ctx, io.Discard)
		if err != nil {
			return nil, err
		}
		if reports[s.id()], err = listed(s, status, s.into); err != nil {
			return nil, err
		}
		if c.Procs > 1 && h.ginkgo == "" {
			if h.ginkgo, err = GinkgoCommand(ctx, s.source); err != nil {
				return nil, err
			}
		}
	}
	h.listing, err = t.list(reports)
	return h, err
}

// GinkgoCommand returns the file of Ginkgo's command, which a module has as a tool (go get
// -tool github.com/onsi/ginkgo/v2/ginkgo). It is built if need be. `go tool` would stand
// between it and its user, and pass each signal on that it has got already.
func GinkgoCommand(ctx context.Context, module string) (string, error) {
	cmd := inGroup(ctx, unix.SIGINT, "go", "tool", "-n", "ginkgo")
	cmd.Dir = module
	out, err := cmd.Output()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		return "", fmt.Errorf("building Ginkgo's command: %s", strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("building Ginkgo's command: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Run runs the tests on the running kernel, as Virtual.Run does in guests. Packages run
// side by side, the suites of each one after another.
func (h *Host) Run(ctx context.Context, s Settings, directory string) (*Report, error) {
	list := h.chosen(s)
	if len(list) == 0 {
		return nil, errors.New("no test is chosen")
	}
	starts := h.tests.starts(h.listing, list, list.All(), start{seed: s.Seed, into: directory, timeout: hostTimeout})
	p := newProgress(s, len(list)*h.tests.flags.count)
	defer p.clear()
	began := time.Now()
	outcomes := make([]outcome, len(starts))
	for i, one := range starts {
		outcomes[i] = outcome{start: one, files: one.into, missed: true}
	}
	packages := byPackage(starts)
	runErr := virtual.SideBySide(ctx, len(packages), s.AtOnce, func(ctx context.Context, i int) error {
		for _, n := range packages[i] {
			if err := h.runStart(ctx, &outcomes[n], s, directory, p); err != nil || ctx.Err() != nil {
				return err
			}
		}
		return nil
	})
	if runErr != nil && ctx.Err() == nil {
		return nil, runErr
	}
	suites, err := h.tests.reports(outcomes)
	if err != nil {
		return nil, err
	}
	took := total("Linux "+linux.Release(), time.Since(began).Seconds(), nil)
	r := &Report{Suites: append(list.Pick(suites), h.tests.unbuilt...), Took: took, untested: h.tests.untested}
	return r, errors.Join(shard.Write(directory, r.Suites), os.RemoveAll(filepath.Join(directory, startsDirectory)), runErr)
}

// byPackage returns the places of the starts of each package.
func byPackage(starts []start) (packages [][]int) {
	for i, s := range starts {
		if i == 0 || starts[i-1].path != s.path {
			packages = append(packages, nil)
		}
		last := len(packages) - 1
		packages[last] = append(packages[last], i)
	}
	return packages
}

// runStart runs one start to its end, or until ctx ends.
func (h *Host) runStart(ctx context.Context, o *outcome, s Settings, directory string, p *progress) (err error) {
	one := process{
		suite: o.suite, file: o.binary, arguments: h.tests.arguments(o.start), into: o.into,
		environment: slices.Concat(s.Lab.Variables(), h.tests.environment(o.suite, directory), h.config.Environment, s.Environment),
	}
	if h.ginkgo != "" && o.suite.ginkgo != "" {
		one.file, one.arguments = h.ginkgo, h.parallelArguments(o.start)
	}
	o.missed, o.began = false, time.Now()
	o.status, err = one.run(ctx, p.console())
	o.took = time.Since(o.began)
	return err
}

// parallelArguments are those of Ginkgo's command, which starts the test binary in several
// processes.
func (h *Host) parallelArguments(s start) []string {
	arguments := []string{
		fmt.Sprintf("-procs=%d", h.config.Procs), fmt.Sprintf("-seed=%d", s.seed), fmt.Sprintf("-timeout=%v", s.timeout),
		"-succinct", "-no-color", "-keep-going", "-output-dir=" + s.into, "-json-report=" + ginkgoFile,
	}
	for _, focus := range focusOn(s.description, s.units) {
		arguments = append(arguments, strings.Replace(focus, "--ginkgo.", "-", 1))
	}
	arguments = append(arguments, s.binary)
	if len(h.tests.flags.arguments)+len(h.tests.flags.others) > 0 {
		arguments = slices.Concat(arguments, []string{"--"}, h.tests.flags.others, h.tests.flags.arguments)
	}
	return arguments
}

// process is a process that runs a suite on this machine.
type process struct {
	suite
	file        string
	arguments   []string
	into        string // where it leaves its files
	environment []string
}

// run runs it to its end and returns its exit status. What it prints goes to a file and to
// a writer.
func (p process) run(ctx context.Context, to io.Writer) (status int, err error) {
	if err := os.MkdirAll(p.into, 0o755); err != nil {
		return 1, err
	}
	output, err := os.Create(filepath.Join(p.into, outputFile))
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, output.Close()) }()
	cmd := inGroup(ctx, unix.SIGINT, p.file, p.arguments...)
	cmd.Dir, cmd.Env = p.source, append(os.Environ(), p.environment...)
	cmd.Stdout = io.MultiWriter(output, to)
	cmd.Stderr = cmd.Stdout
	// When this process is killed the tests are as well, and what they have started
	// (harness/private). The signal is tied to the thread that starts it (prctl(2)).
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed && ctx.Err() == nil {
		return 1, fmt.Errorf("running the tests of %s: %w", p.path, err)
	}
	if cmd.ProcessState == nil { // ctx had ended before
		return 1, nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// testReport is where a run of tests leaves its report unless it is told.
const testReport = "halfopen-test"

// testRun is the arguments of halfopen test.
type testRun struct {
	run, skip      string
	verbose, short bool
	count          int
	timeout        string
	config         gotest.Config
	virtual        gotest.VirtualConfig
	settings       gotest.Settings
	shard          string
	take           []string // for the guest
	host, merge    bool
	report         string
}

func testCommand() *cobra.Command {
	t := &testRun{}
	c := &cobra.Command{
		Use:   "test [packages] [flags] [-- go test flags]",
		Short: "Runs Go tests in virtual time",
		Long: `Runs the tests of Go packages, plain ones and Ginkgo's, in guests with virtual time: when
everything waits, the clock moves on to the next timer at once. A test needs no line for it.

Packages are named as for go test; without any it is the one in this directory. They are
compiled by go test, with the flags after -- (-tags=x, -race; after -args those of the test
binaries). The tests are cut into ` + fmt.Sprint(shard.Count) + ` shards, each a guest, of which as many run at once as
there are cores. With one seed the report is the same, byte for byte, on any number of
cores.

In a guest a test finds the directory of its package, at the same place as here, iptables
and a shell. Exit status 0: all tests passed; 1: tests failed; 2: they could not be run.`,
		Example: `  halfopen test ./...
  halfopen test ./client --run TestReconnect -v
  halfopen test ./... -- -tags=integration
  halfopen test ./... --shard 3/8 --report part-3
  halfopen test --merge part-*`,
		RunE: func(c *cobra.Command, arguments []string) error {
			if err := commandline.Exclusive(c.Flags(), "host", "that is for guests with virtual time", "machine", "kernel", "memory", "shard", "take"); err != nil {
				return err
			}
			flags := []string{}
			if dash := c.ArgsLenAtDash(); dash >= 0 {
				arguments, flags = arguments[:dash], arguments[dash:]
			}
			return t.do(c.Context(), arguments, flags)
		},
	}
	f := c.Flags()
	f.StringVar(&t.run, "run", "", "only tests whose names match this `regexp`, as in go test")
	f.StringVar(&t.skip, "skip", "", "no tests whose names match this `regexp`")
	f.StringVar(&t.config.Focus, "focus", "", "only Ginkgo specs whose text matches this `regexp`, and no plain tests")
	f.BoolVarP(&t.verbose, "verbose", "v", false, "print the output of all tests")
	f.BoolVar(&t.short, "short", false, "what testing.Short reports")
	f.IntVar(&t.count, "count", 1, "how often each test runs")
	f.StringVar(&t.timeout, "timeout", "", "how long a package's tests may take, in virtual time or with --host in real time (default none; 10m with --host)")
	f.Int64Var(&t.settings.Seed, "seed", 1, "decides everything random in virtual time, and the order of Ginkgo's specs")
	f.StringVar(&t.shard, "shard", "", fmt.Sprintf("run one shard, as in 3/%d, and leave its part of the report for --merge", shard.Count))
	f.BoolVar(&t.merge, "merge", false, "join the reports of all shards, whose directories are named instead of packages")
	f.BoolVar(&t.host, "host", false, "run on this machine, in real time")
	f.StringVar(&t.virtual.Machine.Name, "machine", "", machine.NameUsage)
	f.StringVar(&t.virtual.Machine.Kernel, "kernel", "", machine.KernelUsage)
	f.IntVar(&t.virtual.Memory, "memory", 0, "the memory of each guest in MiB; 0: as much as the tests' files need")
	f.StringArrayVar(&t.take, "take", nil, "a file or directory that the guests have: PATH, or PATH:NAME-IN-THE-GUEST")
	f.StringArrayVar(&t.settings.Environment, "env", nil, "a variable for the tests: NAME=VALUE")
	f.StringVar(&t.report, "report", testReport, "the directory for the report: index.html, junit.xml, ginkgo.json, and the evidence of failed tests")
	return c
}

// withTwoDashes returns arguments of halfopen test in which our flags have two dashes, as
// our other commands want them: with go test people type one. Other arguments stay as they
// are.
func withTwoDashes(arguments []string) []string {
	if len(arguments) == 0 || arguments[0] != "test" {
		return arguments
	}
	return commandline.TwoDashes(testCommand().Flags(), arguments)
}

// errRed is the error of a command that has printed that tests failed.
var errRed = errors.New("tests failed")

func (t *testRun) do(ctx context.Context, packages, flags []string) (err error) {
	directory, err := filepath.Abs(t.report)
	if err != nil {
		return err
	}
	if t.merge {
		return t.join(directory, packages)
	}
	if err := t.check(flags); err != nil {
		return err
	}
	// The report of an earlier run goes first: it would pass for that of a run that fails to
	// compile.
	held, err := report.Open(directory)
	if err == nil {
		defer func() { err = errors.Join(err, held.Close()) }()
		err = held.Empty()
	}
	if err != nil {
		return fmt.Errorf("%w (--report)", err)
	}
	t.config.Packages, t.config.Flags = packages, append(t.goFlags(), flags...)
	tests, err := gotest.Compile(ctx, t.config)
	if err != nil {
		return err
	}
	defer func() { _ = tests.Close() }()
	t.settings.Lab.LeaveOut = environment.Read().LeaveOut
	t.settings.Output, t.settings.Terminal = os.Stderr, terminal(os.Stderr)
	result, runErr := t.runTests(ctx, tests, directory)
	if result == nil {
		return runErr
	}
	if err := result.Print(os.Stdout, tests.Verbose(), terminal(os.Stdout)); err != nil {
		return err
	}
	if runErr != nil {
		return runErr
	}
	return t.conclude(os.Stderr, directory, result)
}

// check says in one line what of the arguments makes no sense, before anything slow.
func (t *testRun) check(flags []string) (err error) {
	if err := t.virtual.Check(); err != nil {
		return fmt.Errorf("%w (--machine, --kernel, --memory)", err)
	}
	for _, pattern := range []struct{ flag, value string }{{"run", t.run}, {"skip", t.skip}, {"focus", t.config.Focus}} {
		if err := commandline.CheckPattern(pattern.value); err != nil {
			return fmt.Errorf("%w (--%s)", err, pattern.flag)
		}
	}
	if t.timeout != "" {
		if d, err := time.ParseDuration(t.timeout); err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 10m (--timeout)", t.timeout)
		}
	}
	if err := gotest.CheckFlags(flags); err != nil {
		return err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("compiling the tests: %w", err)
	}
	if t.count < 1 {
		return fmt.Errorf("each test runs %d times: choose 1 or more (--count)", t.count)
	}
	if t.settings.Seed < 0 {
		return fmt.Errorf("the seed %d: choose 0 or more (--seed)", t.settings.Seed)
	}
	for _, what := range t.take {
		if err := root.CheckTake(what); err != nil {
			return fmt.Errorf("%w (--take)", err)
		}
	}
	for _, variable := range t.settings.Environment {
		if name, _, ok := strings.Cut(variable, "="); !ok || name == "" {
			return fmt.Errorf("%q is not NAME=VALUE (--env)", variable)
		}
	}
	if t.shard != "" {
		if t.settings.Shard, err = shard.Parse(t.shard); err != nil {
			return fmt.Errorf("%w (--shard)", err)
		}
	}
	return nil
}

// goFlags are the flags of go test that have ours as another name.
func (t *testRun) goFlags() (flags []string) {
	for _, flag := range []struct{ name, value string }{{"run", t.run}, {"skip", t.skip}, {"timeout", t.timeout}} {
		if flag.value != "" {
			flags = append(flags, "-"+flag.name+"="+flag.value)
		}
	}
	if t.verbose {
		flags = append(flags, "-v")
	}
	if t.short {
		flags = append(flags, "-short")
	}
	return append(flags, fmt.Sprintf("-count=%d", t.count))
}

func (t *testRun) runTests(ctx context.Context, tests *gotest.Tests, report string) (*gotest.Report, error) {
	if t.host {
		h, err := tests.Host(ctx, gotest.HostConfig{})
		if err != nil {
			return nil, err
		}
		return h.Run(ctx, t.settings, report)
	}
	system, err := root.New(ctx)
	if err != nil {
		return nil, err
	}
	for _, what := range t.take {
		if err := system.Take(what); err != nil {
			return nil, err
		}
	}
	t.virtual.Root = system
	v, err := tests.Virtual(ctx, t.virtual)
	if err != nil {
		return nil, err
	}
	return v.Run(ctx, t.settings, report)
}

// join joins the reports of shards.
func (t *testRun) join(report string, parts []string) error {
	if len(parts) == 0 {
		return errors.New("name the directories with the reports of the shards")
	}
	result, _, err := gotest.Merge(report, parts)
	if err != nil {
		return err
	}
	if err := result.Print(os.Stdout, t.verbose, terminal(os.Stdout)); err != nil {
		return err
	}
	return t.conclude(os.Stderr, report, result)
}

// conclude writes the page of the run, says what the run took, and is an error if tests failed.
func (t *testRun) conclude(to io.Writer, directory string, r *gotest.Report) error {
	if page.IsTests(directory) { // a shard may have none
		if err := page.WriteTests(directory, ""); err != nil {
			return err
		}
	}
	took := fmt.Sprintf("%.1f s", r.Took.Wall)
	if r.Took.Virtual > 0 {
		took = fmt.Sprintf("%.1f s for %.0f s of virtual time, on %s", r.Took.Wall, r.Took.Virtual, r.Took.Kernel)
	}
	fmt.Fprintf(to, "halfopen: %s; the report is in %s\n", took, t.report)
	if !r.Passed() {
		return errRed
	}
	return nil
}

func terminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/scenarios/explore/tests"
)

// testExploration is the arguments of halfopen explore test.
type testExploration struct {
	exploring
	test   tests.Test
	seed   int64
	report string
	asJSON bool
}

func exploreTestCommand() *cobra.Command {
	t := &testExploration{}
	c := &cobra.Command{
		Use:   "test [package] --run NAME [flags] [-- go test flags]",
		Short: "At which instant does a fault break a Go test?",
		Long: `Runs one Go test, plain or of Ginkgo, once without a fault, in a guest with virtual time, and
takes down what happens in its lab when. Then it runs the test again and again, and each time a fault
strikes the lab at another instant: before, at and after each event, and between two of them; it is
healed some time later, or never. What must hold is what the test asserts, that nothing panics, and
that the test ends.

The test needs no line for it, but its binary must have the faults: one of its files imports
github.com/halfopen-lab/halfopen/scenarios. It is the first lab that a test opens that is struck, and
its cables take 10 ms each (--cable-delay): a strike takes up to 5 ms of virtual time.

Exit status 0: the test passed in all runs; 1: it failed in some; 2: it could not be explored.`,
		Example: `  halfopen explore test ./client --run '^TestReconnect$'
  halfopen explore test . --focus 'reconnects after an outage' --fault 'host powered off' --healed 1m
  halfopen explore test . --run '^TestReconnect$/^twice$' -- -tags=integration`,
		RunE: func(c *cobra.Command, arguments []string) error { return t.do(c, arguments) },
	}
	t.exploring.flags(c)
	f := c.Flags()
	f.Lookup("fault").Usage = "a fault that strikes ('halfopen run' lists all; default: those of the path, and of a firewall where the lab has one)"
	f.StringVar(&t.test.Run, "run", "", "the test: a `regexp` that its name matches, as in go test")
	f.StringVar(&t.test.Focus, "focus", "", "the Ginkgo spec: a `regexp` that its text matches")
	f.DurationVar(&t.test.CableDelay, "cable-delay", tests.DefaultCableDelay, "how long a packet takes through each cable of the lab")
	f.DurationVar(&t.test.Limit, "limit", tests.DefaultLimit, "how long the test may last after its first packet, in virtual time")
	f.Int64Var(&t.seed, "seed", 1, "decides everything random")
	f.StringVar(&t.test.Machine.Name, "machine", "", machine.NameUsage)
	f.StringVar(&t.test.Machine.Kernel, "kernel", "", machine.KernelUsage)
	f.IntVar(&t.test.Memory, "memory", 0, "the memory of each guest in MiB; 0: as much as the test's files need")
	f.StringArrayVar(&t.test.Take, "take", nil, "a file or directory that the guests have: PATH, or PATH:NAME-IN-THE-GUEST")
	f.StringArrayVar(&t.test.Environment, "env", nil, "a variable for the test: NAME=VALUE")
	f.StringVar(&t.report, "report", exploreReport, "the directory for what is made and found")
	f.BoolVar(&t.asJSON, "json", false, "print what was found as JSON")
	return c
}

func (t *testExploration) do(c *cobra.Command, arguments []string) error {
	t.test.Packages = arguments
	if dash := c.ArgsLenAtDash(); dash >= 0 {
		t.test.Packages, t.test.Flags = arguments[:dash], arguments[dash:]
	}
	switch {
	case len(t.test.Packages) > 1:
		return fmt.Errorf("%d packages are named: name the one that has the test", len(t.test.Packages))
	case t.seed < 0:
		return fmt.Errorf("the seed %d: choose 0 or more (--seed)", t.seed)
	case c.Flags().Changed("cable-delay") && t.test.CableDelay == 0:
		return errors.New("a cable that takes no time: choose 1ms or more (--cable-delay)")
	case c.Flags().Changed("limit") && t.test.Limit == 0:
		return errors.New("a limit of 0s: choose a time such as 3h (--limit)")
	}
	config, err := t.config(c, arguments, uint64(t.seed), t.report)
	if err != nil {
		return err
	}
	if err := errors.Join(t.test.Check(), tests.CheckFaults(config.Faults)); err != nil {
		return err
	}
	// The directory is taken when there is something to write: see early whether it can be.
	if held, err := report.Open(t.report); err != nil {
		return fmt.Errorf("%w (--report)", err)
	} else if err := held.Close(); err != nil {
		return err
	}
	ctx := c.Context()
	subject, err := tests.Open(ctx, t.test)
	if err != nil {
		return err
	}
	defer func() { _ = subject.Close() }()
	if len(config.Faults) == 0 {
		if config.Faults, err = subject.DefaultFaults(ctx, config.Seed); err != nil {
			return err
		}
	}
	config.Subject = subject
	return exploreInstants(ctx, config, t.report, t.asJSON)
}

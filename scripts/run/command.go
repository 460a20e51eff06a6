package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Command is the main function of the commands beside this package: it does the work
// and ends the process, with 0 if all is well, with 1 if not, and with 2 and a line
// that says why if the work could not be done.
//
// SIGINT and SIGTERM, and SIGHUP unless nohup(1) has it ignored, end the work's
// context, after which the process ends with 2 in any case. A second signal ends it
// at once, and with it all that it has started.
func Command(name string, work func(ctx context.Context, arguments []string) (well bool, err error)) {
	signals := []os.Signal{unix.SIGINT, unix.SIGTERM}
	if !signal.Ignored(unix.SIGHUP) {
		signals = append(signals, unix.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, func() {
		stop() // from here on a signal does what it does by itself
		fmt.Fprintf(os.Stderr, "\n%s: %v: what runs is asked to end, which may take some minutes; once more ends it at once\n", name, context.Cause(ctx))
	})
	well, err := work(ctx, os.Args[1:])
	switch {
	case ctx.Err() != nil: // what went wrong afterwards went wrong because of it
		fmt.Fprintf(os.Stderr, "%s: ended early\n", name)
		os.Exit(2)
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	case !well:
		os.Exit(1)
	}
}

// Parse parses a command's arguments, all of which are flags.
func Parse(flags *flag.FlagSet, arguments []string) error {
	err := ParseArguments(flags, arguments)
	if err == nil && flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag: see -help", flags.Arg(0))
	}
	return err
}

// ParseArguments parses the arguments of a command that takes others after its flags. It
// keeps the usage for those who ask for it: a wrong flag gets one line.
func ParseArguments(flags *flag.FlagSet, arguments []string) error {
	flags.Init(flags.Name(), flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	err := flags.Parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.Usage()
	}
	return err
}

// Flags declares the flags of every command that runs the suites.
func (s *Suites) Flags(flags *flag.FlagSet) {
	flags.IntVar(&s.Procs, "procs", 0, fmt.Sprintf("on the running kernel: test processes that share the specs (default %d)", hostProcs))
	flags.Int64Var(&s.Seed, "seed", 1, "fixes the order of the specs, and in virtual time everything random")
	flags.StringVar(&s.Focus, "focus", "", "a regular expression: only the specs whose text matches")
}

// GuestFlags declares what commands that run them in virtual time take as well.
func (s *Suites) GuestFlags(flags *flag.FlagSet) {
	flags.StringVar(&s.Machine.Name, "machine", "", "in virtual time: "+machine.NameUsage)
	flags.StringVar(&s.Machine.Kernel, "kernel", "", "in virtual time: "+machine.KernelUsage)
	flags.IntVar(&s.Memory, "memory", 0, fmt.Sprintf("in virtual time: the memory of each guest in MiB (default %d)", shard.Memory))
}

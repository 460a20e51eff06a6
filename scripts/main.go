// Command scripts has the commands of those who work on this project: go run ./scripts
// COMMAND. They run at the top of the repository; the Makefile calls them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/nearest"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/scripts/bench"
	"github.com/halfopen-lab/halfopen/scripts/chaos"
	"github.com/halfopen-lab/halfopen/scripts/determinism"
	"github.com/halfopen-lab/halfopen/scripts/fuzz"
	"github.com/halfopen-lab/halfopen/scripts/installed"
	"github.com/halfopen-lab/halfopen/scripts/killcheck"
	"github.com/halfopen-lab/halfopen/scripts/mutate"
	"github.com/halfopen-lab/halfopen/scripts/recovery"
	"github.com/halfopen-lab/halfopen/scripts/repeat"
	"github.com/halfopen-lab/halfopen/scripts/suite"
	"github.com/halfopen-lab/halfopen/scripts/witness"
)

// command is one of this program's. It reports whether all is well, or returns an error if
// the work could not be done.
type command struct {
	name string
	work func(ctx context.Context, arguments []string) (well bool, err error)
}

var commands = []command{
	{"suite", suite.Command},
	{"merge", suite.Merge},
	{"determinism", determinism.Command},
	{"witness", witness.Command},
	{"mutate", mutate.Command},
	{"repeat", repeat.Command},
	{"killcheck", killcheck.Command},
	{"chaos", chaos.Command},
	{"fuzz", fuzz.Command},
	{"installed", installed.Command},
	{"recovery", recovery.Command},
	{"bench-labs", bench.Labs},
	{"bench-guests", bench.Guests},
	{"bench-explore", bench.Explore},
}

func main() {
	reexec.Main()
	var names []string
	for _, c := range commands {
		if len(os.Args) > 1 && os.Args[1] == c.name {
			os.Exit(c.run(os.Args[2:]))
		}
		names = append(names, c.name)
	}
	said := "name a command"
	if len(os.Args) > 1 {
		said = fmt.Sprintf("there is no command %q: %s", os.Args[1], nearest.List(os.Args[1], names))
	}
	fmt.Fprintf(os.Stderr, "scripts: %s; these are the commands:\n  %s\n", said, strings.Join(names, "\n  "))
	os.Exit(2)
}

// run does the work and returns the exit status: 0 if all is well, 1 if not, and 2, with a
// line that says why, if the work could not be done.
//
// SIGINT and SIGTERM, and SIGHUP unless nohup(1) has it ignored, end the work's context,
// after which the status is 2 in any case. A second signal ends the process at once, and
// with it all that it has started.
func (c command) run(arguments []string) (status int) {
	commandline.Interruptible(c.name, "some minutes", func(ctx context.Context) {
		var well bool
		err := environment.Check()
		if err == nil {
			well, err = c.work(ctx, arguments)
		}
		switch {
		case ctx.Err() != nil: // what went wrong afterwards went wrong because of it
			fmt.Fprintf(os.Stderr, "%s: ended early\n", c.name)
			status = 2
		case errors.Is(err, flag.ErrHelp):
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s: %s\n", c.name, commandline.Message(err))
			status = 2
		case !well:
			status = 1
		}
	})
	return status
}

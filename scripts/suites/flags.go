package suites

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

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

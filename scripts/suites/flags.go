package suites

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/commandline"
)

// Parse parses a command's arguments, all of which are flags. Each has one dash or two.
func Parse(flags *pflag.FlagSet, arguments []string) error {
	err := commandline.Parse(flags, arguments)
	if err == nil && flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag: see -help", flags.Arg(0))
	}
	return err
}

// Command halfopen asks of any program: does it notice when the other side is gone?
//
// What it measures with lives in the packages harness, scenarios and fixtures; this
// command reads arguments, calls them and prints.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Exit statuses.
const (
	kept        = 0 // the program under test kept its promises, or there were none to keep
	broken      = 1 // it did not
	notMeasured = 2 // bad arguments, or something that kept halfopen from measuring
)

// errBroken is the error of a command that measured, and has already printed, that a
// promise was broken.
var errBroken = errors.New("a promise was broken")

func main() {
	reexec.Main() // this binary is also process 1 of a guest, what measures there, and fixtures
	os.Exit(execute(os.Args[1:]))
}

func execute(arguments []string) (status int) {
	commandline.Interruptible("halfopen", "half a minute", func(ctx context.Context) {
		switch err := commandline.Execute(ctx, command(), withTwoDashes(arguments), checkEnvironment); {
		case err == nil:
			status = kept
		case errors.Is(err, errBroken), errors.Is(err, errRed):
			status = broken
		default:
			fmt.Fprintf(os.Stderr, "halfopen: %s\n", commandline.Message(err))
			status = notMeasured
		}
	})
	return status
}

// checkEnvironment reports a variable that a command could not work with. Commands that only
// print, and the doctor, work with any.
func checkEnvironment(c *cobra.Command) error {
	for c.HasParent() && c.Parent().HasParent() {
		c = c.Parent()
	}
	switch c.Name() {
	case "audit", "run", "test", "explore", "kernel", "cache":
		return environment.Check()
	}
	return nil
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "halfopen",
		Short: "Does a program notice when the other side is gone?",
	}
	root.AddCommand(auditCommand(), testCommand(), runCommand(), exploreCommand(), reportCommand())
	root.AddCommand(presetsCommand())
	root.AddCommand(kernelCommand(), cacheCommand(), doctorCommand(), versionCommand())
	root.Version = versionText()
	root.SetVersionTemplate("{{.Version}}")
	return root
}

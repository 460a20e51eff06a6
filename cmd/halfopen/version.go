package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/version"
	"github.com/halfopen-lab/halfopen/harness/virtual/kernel"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Which halfopen this is, and with which kernels it measures",
		Long: `Prints the version, the commit that it was built from, the version of Go, and for each
kernel source the key of the recipe (configuration and patches) by which it is built.`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(c.OutOrStdout(), versionText())
			return err
		},
	}
}

func versionText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "halfopen %s\n", version.String())
	if commit := version.Commit(); commit != "" {
		fmt.Fprintf(&b, "commit   %s\n", commit)
	}
	fmt.Fprintf(&b, "go       %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, s := range kernel.Sources() {
		if key, err := kernel.RecipeKey(s); err == nil { // the recipes are in this program
			fmt.Fprintf(&b, "kernel   %s, recipe %s\n", s, key)
		}
	}
	return b.String()
}

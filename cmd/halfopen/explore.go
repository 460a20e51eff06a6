package main

import "github.com/spf13/cobra"

// exploreCommand finds the setting and the seed at which it goes wrong.
func exploreCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explore",
		Short: "At which setting, and with which seed, does it go wrong?",
	}
	c.AddCommand(exploreSettingsCommand())
	return c
}

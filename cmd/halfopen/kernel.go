package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/virtual/kernel"
)

// kernelCommand builds the user-mode kernel and lists the cache.
func kernelCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kernel",
		Short: "The user-mode kernel of virtual guests: build it, or see which there are",
		Long: `The user-mode kernel of virtual guests is Debian's kernel source, built as a program for
this machine. It is built once, which takes minutes, and kept in the cache: halfopen/kernel
in XDG_CACHE_HOME, or in ~/.cache. apt fetches the source with the system's sources and
keys; no root is needed. Where HALFOPEN_KERNEL_URL is the address of a folder with
released kernels, one is fetched from there instead, if it has the checksum that this
program knows.`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(kernelBuildCommand(), kernelListCommand(), kernelPathCommand())
	return c
}

func kernelBuildCommand() *cobra.Command {
	var source string
	var update bool
	c := &cobra.Command{
		Use:   "build",
		Short: "Build the kernel, unless it is in the cache",
		Long: `Builds the kernel, unless the cache has one with this program's configuration and
patches. With --update it must also be of the newest source that apt knows, and made by
the compiler that is here.`,
		Example: "  halfopen kernel build\n  halfopen kernel build --source 6.1 --update",
		Args:    commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := kernel.ParseSource(source)
			if err != nil {
				return err
			}
			build := kernel.Build
			if update {
				build = kernel.Update
			}
			k, err := build(c.Context(), s, c.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Linux %s (%s): %s\n", k.Release, k.Package, k.File)
			return err
		},
	}
	sourceFlag(c, &source)
	c.Flags().BoolVar(&update, "update", false, "take the newest source and the compiler that is here")
	return c
}

func kernelPathCommand() *cobra.Command {
	var source string
	c := &cobra.Command{
		Use:     "path",
		Short:   "Print the file of the kernel that guests are given",
		Example: "  halfopen kernel path --source 6.1",
		Args:    commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := kernel.ParseSource(source)
			if err != nil {
				return err
			}
			k, err := kernel.Find(s)
			if errors.Is(err, kernel.ErrNotBuilt) {
				return fmt.Errorf("%w: 'halfopen kernel build --source %s' builds it", err, s)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), k.File)
			return err
		},
	}
	sourceFlag(c, &source)
	return c
}

func sourceFlag(c *cobra.Command, source *string) {
	c.Flags().StringVar(source, "source", string(kernel.Default), "the series of Debian's kernel source: 6.12 or 6.1")
	_ = c.RegisterFlagCompletionFunc("source", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		for _, s := range kernel.Sources() {
			names = append(names, string(s))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

func kernelListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the kernels in the cache, and which of them guests are given",
		Args:  commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := listKernels()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), all)
			}
			return printKernels(c.OutOrStdout(), all)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// listedKernel is what `kernel list --json` prints of each.
type listedKernel struct {
	File string `json:"file"`
	kernel.Kernel
	Used    bool   `json:"used"`              // guests are given it
	Trouble string `json:"trouble,omitempty"` // why they cannot be
}

func listKernels() ([]listedKernel, error) {
	kernels, err := kernel.List()
	if err != nil {
		return nil, err
	}
	used, trouble := map[string]bool{}, map[string]string{}
	for _, s := range kernel.Sources() {
		k, err := kernel.Find(s)
		if damaged, ok := errors.AsType[*kernel.Damaged](err); ok {
			trouble[damaged.File] = damaged.Error()
			continue
		}
		if err != nil && !errors.Is(err, kernel.ErrNotBuilt) {
			return nil, err
		}
		used[k.File] = err == nil
	}
	all := []listedKernel{}
	for _, k := range kernels {
		all = append(all, listedKernel{k.File, k, used[k.File], trouble[k.File]})
	}
	return all, nil
}

func printKernels(to io.Writer, all []listedKernel) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(to, "there is none: 'halfopen kernel build' builds one")
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	var troubles string
	_, _ = fmt.Fprintln(w, "source\tpackage\tsize\tmade in\tused\tfile")
	for _, k := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%.1f MB\t%v\t%s\t%s\n", k.Source, k.Package, float64(k.Size)/1e6,
			time.Duration(k.Seconds*float64(time.Second)).Round(time.Second), yes(k.Used), k.File)
		if k.Trouble != "" {
			troubles += "\n" + k.Trouble + "\n"
		}
	}
	_, _ = io.WriteString(w, troubles)
	return w.Flush() // which has the errors of all writes
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	containers "github.com/halfopen-lab/halfopen/harness/virtual/image"
	"github.com/halfopen-lab/halfopen/harness/virtual/kernel"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

func cacheCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "cache",
		Short: "What halfopen has built and fetched: list it, verify it, remove it",
		Long: `What halfopen has built and fetched is kept in halfopen in XDG_CACHE_HOME, or in ~/.cache:
user-mode kernels, Debian packages as they are installed, their archives, and the roots of
container images. Everything can be removed: what is needed again is made again.`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(cacheListCommand(), cacheVerifyCommand(), cacheCleanCommand())
	return c
}

// cached is a part of the cache.
type cached struct {
	Kind string `json:"kind"`
	What string `json:"what"` // with its version
	Size int64  `json:"size"`
	File string `json:"file"` // or a directory

	verify func() error // nil: it has no checksum
	remove func() error
}

// The kinds of parts.
const (
	cachedKernel    = "kernel"
	cachedInstalled = "installed"
	cachedImage     = "image"
	cachedArchives  = "archives"
	cachedUnpacked  = "unpacked"
)

// readCache returns all parts of the cache, and what is wrong with the others.
func readCache() (all []cached, wrong error) {
	kernels, err := kernel.List()
	wrong = errors.Join(wrong, err)
	for _, k := range kernels {
		all = append(all, cached{cachedKernel, "Linux " + k.Package, k.Size, k.File, k.Verify, k.Remove})
	}
	layers, err := root.List()
	wrong = errors.Join(wrong, err)
	for _, l := range layers {
		var names []string
		for _, p := range l.Requested {
			names = append(names, p.String())
		}
		all = append(all, cached{cachedInstalled, strings.Join(names, ", "), l.Size, l.File, l.Verify, l.Remove})
	}
	images, err := containers.List()
	wrong = errors.Join(wrong, err)
	for _, i := range images {
		all = append(all, cached{cachedImage, i.Digest, i.Size, i.File, i.Verify, i.Remove})
	}
	directory, err := environment.Cache()
	if err != nil {
		return nil, err
	}
	apt, err := debian.AptDirectory()
	if err != nil {
		return nil, err
	}
	trees, err := filepath.Glob(filepath.Join(directory, "debian", "*"))
	wrong = errors.Join(wrong, err)
	for _, tree := range append(trees, apt) {
		c := cached{Kind: cachedUnpacked, What: debian.UnpackedVersions(tree), File: tree,
			verify: func() error { return debian.Verify(tree, nil) }, remove: func() error { return os.RemoveAll(tree) }}
		if tree == apt {
			c.Kind, c.What, c.verify = cachedArchives, "Debian packages and apt's lists", nil
		}
		if c.Size, err = sizeOf(tree); err == nil {
			all = append(all, c)
		} else if !errors.Is(err, fs.ErrNotExist) {
			wrong = errors.Join(wrong, err)
		}
	}
	return all, wrong
}

// sizeOf returns how many bytes the files of a directory have.
func sizeOf(directory string) (size int64, err error) {
	err = filepath.WalkDir(directory, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

func cacheListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List what is in the cache, with versions and sizes",
		Args:  commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			all, wrong := readCache()
			show := printCache
			if asJSON {
				show = func(to io.Writer, all []cached) error { return printJSON(to, all) }
			}
			return errors.Join(show(c.OutOrStdout(), all), wrong)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printCache(to io.Writer, all []cached) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	var sum int64
	for _, c := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%.1f MB\t%s\n", c.Kind, c.What, float64(c.Size)/1e6, c.File)
		sum += c.Size
	}
	_, _ = fmt.Fprintf(w, "together\t\t%.1f MB\n", float64(sum)/1e6)
	return w.Flush()
}

func cacheVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Compare kernels, packages and images with their checksums",
		Long: `Compares kernels, packages and images with their checksums. What is damaged is named with the remedy,
and the exit status is then 2. The archives of packages have none here: apt checks them at each use.`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			all, wrong := readCache()
			verified := 0
			for _, part := range all {
				if part.verify == nil {
					continue
				}
				if err := part.verify(); err != nil {
					wrong = errors.Join(wrong, err)
					continue
				}
				verified++
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%d parts are as they were made\n", verified)
			return errors.Join(wrong, err)
		},
	}
}

func cacheCleanCommand() *cobra.Command {
	var kernels bool
	c := &cobra.Command{
		Use:   "clean",
		Short: "Remove what is in the cache, but the kernels, which take minutes to build",
		Args:  commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			all, wrong := readCache()
			if !kernels {
				all = slices.DeleteFunc(all, func(part cached) bool { return part.Kind == cachedKernel })
			}
			var freed int64
			for _, part := range all {
				err := part.remove()
				if err == nil {
					freed += part.Size
				}
				wrong = errors.Join(wrong, err)
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "removed %.1f MB\n", float64(freed)/1e6)
			return errors.Join(wrong, err)
		},
	}
	c.Flags().BoolVar(&kernels, "kernels", false, "remove the kernels as well")
	return c
}

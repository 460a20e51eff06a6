// Package determinism runs the suites in virtual time again and again, with every
// core of the machine busy, and compares the reports: one seed must give the same
// bytes every time, in everything but wall.json. The second run has one guest at a time,
// as on one core, and the third has all of them at once, as on many.
package determinism

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// Command is the command determinism.
func Command(ctx context.Context, arguments []string) (same bool, err error) {
	var s suites.Settings
	flags := flag.NewFlagSet("determinism", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	times := flags.Int("times", 10, "how many runs")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	if *times < 2 {
		return false, fmt.Errorf("%d runs cannot be compared: choose 2 or more (TIMES)", *times)
	}
	prepared, err := suites.InVirtualTime(ctx, s)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	directory, err := os.MkdirTemp("", "halfopen-determinism-")
	if err != nil {
		return false, err
	}
	same, err = compare(ctx, prepared, s, *times, directory)
	if err == nil && !same {
		fmt.Printf("The reports are in %s.\n", directory)
		return false, nil
	}
	return same, errors.Join(err, os.RemoveAll(directory))
}

// compare runs the suites so many times, with every core busy, and compares what each
// run leaves in a directory of its own with what the first one has left.
func compare(ctx context.Context, prepared *suites.Suites, s suites.Settings, times int, directory string) (same bool, err error) {
	suites.KeepCoresBusy()
	same = true
	var first map[string][]byte
	for round := 1; round <= times; round++ {
		report := filepath.Join(directory, fmt.Sprintf("run-%d", round))
		if err := os.Mkdir(report, 0o755); err != nil {
			return false, err
		}
		s.AtOnce = map[int]int{2: 1, 3: shard.Count}[round]
		if _, err := prepared.Conclude(ctx, s, report); err != nil {
			return false, fmt.Errorf("run %d: %w", round, err)
		}
		files, err := read(report)
		if err != nil {
			return false, fmt.Errorf("reading the report of run %d: %w", round, err)
		}
		if first == nil {
			first = files
			fmt.Printf("run 1 of %d left %d files, %d bytes\n", times, len(files), size(files))
			continue
		}
		names := differences(first, files)
		fmt.Printf("run %d of %d differs in %d files\n", round, times, len(names))
		for _, name := range names {
			fmt.Println("  " + name)
		}
		same = same && len(names) == 0
	}
	return same, nil
}

// size is how many bytes the files have.
func size(files map[string][]byte) (bytes int) {
	for _, content := range files {
		bytes += len(content)
	}
	return bytes
}

// read is the content of every file of a report by its name.
func read(report string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(report, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == shard.WallFile {
			return err
		}
		files[path[len(report)+1:]], err = os.ReadFile(path)
		return err
	})
	return files, err
}

// differences are the names of files that the two reports do not have in common.
func differences(a, b map[string][]byte) []string {
	var names []string
	for name, content := range a {
		if other, ok := b[name]; !ok || !bytes.Equal(content, other) {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

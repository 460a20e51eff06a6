// Command determinism runs the suites in virtual time again and again, with every
// core of the machine busy, and compares the reports: one seed must give the same
// bytes every time, in everything but wall.json. The second run has one guest at a time,
// as on one core, and the third has all of them at once, as on many.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() { run.Command("determinism", determinism) }

func determinism(ctx context.Context, arguments []string) (same bool, err error) {
	var s run.Suites
	flags := flag.NewFlagSet("determinism", flag.ContinueOnError)
	s.Flags(flags)
	s.GuestFlags(flags)
	times := flags.Int("times", 10, "how many runs")
	if err := run.Parse(flags, arguments); err != nil {
		return false, err
	}
	if *times < 2 {
		return false, fmt.Errorf("%d runs cannot be compared: choose 2 or more (TIMES)", *times)
	}
	guests, err := s.Guests(ctx)
	if err != nil {
		return false, err
	}
	directory, err := os.MkdirTemp("", "halfopen-determinism-")
	if err != nil {
		return false, err
	}
	same, err = compare(ctx, guests, *times, directory)
	if err == nil && !same {
		fmt.Printf("The reports are in %s.\n", directory)
		return false, nil
	}
	return same, errors.Join(err, os.RemoveAll(directory))
}

// compare runs the guests so many times, with every core busy, and compares what each
// run leaves in a directory of its own with what the first one has left.
func compare(ctx context.Context, guests *run.Guests, times int, directory string) (same bool, err error) {
	run.KeepCoresBusy()
	same = true
	var first map[string][]byte
	for round := 1; round <= times; round++ {
		report := filepath.Join(directory, fmt.Sprintf("run-%d", round))
		guests.AtOnce = map[int]int{2: 1, 3: shard.Count}[round]
		reports, _, err := guests.Run(ctx, report)
		if err == nil {
			err = ctx.Err()
		}
		if reasons := run.Reasons(reports); err == nil && len(reasons) > 0 {
			err = errors.New(strings.Join(reasons, "\n"))
		}
		if err != nil {
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

// Command determinism runs the suites in virtual time again and again, with every
// core of the machine busy, and compares the reports: one seed must give the same
// bytes every time, in everything but wall.json.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() {
	times := flag.Int("times", 2, "how many runs")
	s := run.Suites{}
	flag.IntVar(&s.Procs, "procs", 16, "test processes that share the specs")
	flag.Int64Var(&s.Seed, "seed", 1, "fixes the order of the specs, and everything random")
	flag.StringVar(&s.Focus, "focus", "", "a regular expression: only the specs whose text matches")
	flag.StringVar(&s.LeaveOut, "leave-out", "", "a step that every spec leaves out: with \"fault 1\" there are captures to compare")
	flag.StringVar(&s.Kernel, "kernel", "", "a package of Debian, or the file of a vmlinuz")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	differ, err := compare(ctx, *times, s)
	if err != nil {
		fmt.Fprintf(os.Stderr, "determinism: %v\n", err)
		os.Exit(2)
	}
	if differ {
		os.Exit(1)
	}
}

func compare(ctx context.Context, times int, s run.Suites) (differ bool, err error) {
	if times < 2 {
		return false, fmt.Errorf("%d runs cannot be compared: choose 2 or more (TIMES)", times)
	}
	guests, err := s.Guests(ctx)
	if err != nil {
		return false, err
	}
	directory, err := os.MkdirTemp("", "halfopen-determinism-")
	if err != nil {
		return false, err
	}
	run.KeepCoresBusy()
	var first map[string][]byte
	for round := 1; round <= times; round++ {
		report := filepath.Join(directory, fmt.Sprintf("run-%d", round))
		if _, _, err := guests.Run(ctx, report); err != nil {
			return false, fmt.Errorf("run %d: %w", round, err)
		}
		if ctx.Err() != nil {
			return false, errors.Join(context.Cause(ctx), os.RemoveAll(directory))
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
		differ = differ || len(names) > 0
	}
	if differ {
		fmt.Printf("The reports are in %s.\n", directory)
		return true, nil
	}
	return false, os.RemoveAll(directory)
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
		if err != nil || entry.IsDir() || entry.Name() == run.WallFile {
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

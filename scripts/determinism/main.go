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
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

func main() {
	times := flag.Int("times", 2, "how many runs")
	procs := flag.Int("procs", 32, "test processes that share the specs")
	seed := flag.Uint64("seed", 1, "decides the order of the specs and everything random")
	focus := flag.String("focus", "", "only the specs whose text matches")
	kernel := flag.String("kernel", "", "as of scripts/virtual")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	differ, err := compare(ctx, *times, []string{"-procs=" + strconv.Itoa(*procs), "-seed=" + strconv.FormatUint(*seed, 10), "-focus=" + *focus, "-kernel=" + *kernel})
	if err != nil {
		fmt.Fprintf(os.Stderr, "determinism: %v\n", err)
		os.Exit(2)
	}
	if differ {
		os.Exit(1)
	}
}

// different is the one file that tells of the run and not of what it showed.
const different = "wall.json"

func compare(ctx context.Context, times int, arguments []string) (differ bool, err error) {
	directory, err := os.MkdirTemp("", "halfopen-determinism-")
	if err != nil {
		return false, err
	}
	program := filepath.Join(directory, "virtual")
	if out, err := exec.Command("go", "build", "-o", program, "./scripts/virtual").CombinedOutput(); err != nil {
		return false, fmt.Errorf("building scripts/virtual: %w\n%s", err, out)
	}
	for range runtime.NumCPU() {
		go spin()
	}
	var first map[string][]byte
	for run := 1; run <= times; run++ {
		report := filepath.Join(directory, fmt.Sprintf("run-%d", run))
		cmd := exec.CommandContext(ctx, program, append(arguments, "-report="+report)...)
		cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) } // it ends its guest
		out, runErr := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return false, errors.Join(context.Cause(ctx), os.RemoveAll(directory))
		}
		files, err := read(report)
		if err != nil || len(files) == 0 {
			return false, fmt.Errorf("run %d left no report: %w\n%s", run, runErr, out)
		}
		if first == nil {
			first = files
			fmt.Printf("run 1 left %d files\n", len(files))
			continue
		}
		names := differences(first, files)
		fmt.Printf("run %d differs in %d files\n", run, len(names))
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

// spin keeps a core busy until the program ends.
func spin() {
	for n := 0; ; n++ {
		_ = n
	}
}

// read is the content of every file of a report by its name.
func read(report string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(report, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == different {
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

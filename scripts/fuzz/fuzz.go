// Package fuzz runs the fuzz tests of this module, one after another, each for the same time.
package fuzz

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// target is a fuzz test.
type target struct{ directory, name string }

// Command is the command fuzz. It is not clean when a test has found an input that fails: the
// input is then in the package's testdata/fuzz, and becomes a seed with the mend.
func Command(ctx context.Context, arguments []string) (clean bool, err error) {
	flags := pflag.NewFlagSet("fuzz", pflag.ContinueOnError)
	each := flags.Duration("time", 30*time.Second, "how long to run each fuzz test")
	focus := flags.String("focus", "", "run only the fuzz tests whose directory and name match this regular expression")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	if *each < time.Second {
		return false, fmt.Errorf("%v is too short to run a fuzz test: choose 1s or more (TIME)", *each)
	}
	if err := commandline.CheckPattern(*focus); err != nil {
		return false, fmt.Errorf("%w (FOCUS)", err)
	}
	chosen := regexp.MustCompile(*focus)
	targets, err := find(".")
	if err != nil {
		return false, err
	}
	targets = slices.DeleteFunc(targets, func(t target) bool { return !chosen.MatchString(t.directory + " " + t.name) })
	if len(targets) == 0 {
		return false, fmt.Errorf("no fuzz test matches %q", *focus)
	}
	clean = true
	for _, t := range targets {
		figures, found, err := t.run(ctx, *each)
		if err != nil {
			return false, err
		}
		if ctx.Err() != nil {
			return false, nil
		}
		fmt.Printf("%-28s %-26s %s\n", t.directory, t.name, figures)
		if found != "" {
			clean = false
			fmt.Println(found)
		}
	}
	return clean, nil
}

// function matches the head of a fuzz test.
var function = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// find returns the fuzz tests below a directory, but for those in testdata.
func find(directory string) (targets []target, err error) {
	err = filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && file != directory):
			return fs.SkipDir
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, match := range function.FindAllSubmatch(content, -1) {
			targets = append(targets, target{"./" + filepath.Dir(file), string(match[1])})
		}
		return nil
	})
	return targets, err
}

// executions matches what go test prints of a run.
var executions = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

// run runs one fuzz test. It returns what it did, and what it has found.
func (t target) run(ctx context.Context, each time.Duration) (figures, found string, err error) {
	// By default go test shortens each new input for up to a minute.
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each.String(), "-fuzzminimizetime=10x", t.directory)
	cmd.WaitDelay = 10 * time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its workers
	out, failed := cmd.CombinedOutput()
	text := string(out)
	all := executions.FindAllStringSubmatch(text, -1)
	if ctx.Err() != nil {
		return "", "", nil
	}
	last := []string{"", "0", "0"}
	if len(all) > 0 {
		last = all[len(all)-1]
	}
	figures = fmt.Sprintf("%10s executions, %4s new inputs", last[1], last[2])
	if failed == nil {
		return figures + ", nothing found", "", nil
	}
	if !strings.Contains(text, "--- FAIL: "+t.name) {
		return "", "", fmt.Errorf("running %s in %s: %w: %s", t.name, t.directory, failed, strings.TrimSpace(text))
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "fuzz: ") {
			lines = append(lines, "    "+strings.TrimRight(line, "\n"))
		}
	}
	return figures + ", FOUND", strings.Join(lines, "\n"), nil
}

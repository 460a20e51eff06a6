// Command suite runs the behaviour suites on the running kernel and sums the run up:
// a line for each family, the behaviours that were shown, what failed and where its
// evidence is, and how long it took beside how long it would have taken one spec
// after another. It exits with 0 if all that was to run ran and passed, with 1 if
// specs failed, and with 2 if it could not run them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/scripts/run"
)

func main() {
	passed, err := suite(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "suite: %v\n", err)
		os.Exit(2)
	case !passed:
		os.Exit(1)
	}
}

func suite(arguments []string) (passed bool, err error) {
	s := run.Suites{Output: os.Stdout, Colour: terminal(os.Stdout)}
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	flags.IntVar(&s.Procs, "procs", 32, "test processes that share the specs")
	flags.Int64Var(&s.Seed, "seed", 1, "fixes the order of the specs")
	flags.StringVar(&s.Focus, "focus", "", "a regular expression: only the specs whose text matches")
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the report; the one of an earlier run is replaced")
	if err := parse(flags, arguments); err != nil {
		return false, err
	}
	if err := s.Check(); err != nil {
		return false, err
	}
	if s.Report, err = emptied(s.Report); err != nil {
		return false, err
	}
	reports, err := s.Run()
	if err != nil {
		return false, err
	}
	o := sumUp(reports)
	if o.ran == 0 && s.Focus != "" {
		return false, fmt.Errorf("no spec's text matches %q (FOCUS)", s.Focus)
	}
	return o.green, o.print(os.Stdout, s.Report)
}

// parse keeps the usage for those who ask for it: a wrong flag gets one line.
func parse(flags *flag.FlagSet, arguments []string) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.Usage()
	}
	if err == nil && flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag: see -help", flags.Arg(0))
	}
	return err
}

func terminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// signature is the file that tells a report's directory from any other.
const signature = ".halfopen-report"

// emptied makes the directory, or empties it if an earlier run has filled it. What
// is not a report is left alone: a wrong REPORT would otherwise remove what somebody
// needs.
func emptied(directory string) (string, error) {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("making room for the report: %w: choose another place (REPORT)", err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(directory, signature)); err != nil {
			return "", fmt.Errorf("making room for the report: %s holds something else: choose an empty place (REPORT)", directory)
		}
		if err := os.RemoveAll(directory); err != nil {
			return "", fmt.Errorf("removing the report of an earlier run: %w", err)
		}
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", fmt.Errorf("making room for the report: %w: choose another place (REPORT)", err)
	}
	return directory, os.WriteFile(filepath.Join(directory, signature), nil, 0o644)
}

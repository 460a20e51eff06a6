// Command suite runs the behaviour suites, in virtual time or on the running kernel
// or both, and sums the run up: a line for each family, the behaviours that were
// shown, what failed and where its evidence is, and how long it took beside how long
// it would have taken one spec after another. After both it says where each spec ran,
// and fails when one ran nowhere.
//
// It exits with 0 if all that was to run ran and passed, with 1 if specs failed or ran
// nowhere, and with 2 if it could not run them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

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
	on := flags.String("on", "virtual", "the executors: virtual, host, or host,virtual")
	procs := flags.String("procs", "", "test processes that share the specs (default 16 in virtual time, 32 on the running kernel)")
	flags.Int64Var(&s.Seed, "seed", 1, "fixes the order of the specs, and in virtual time everything random")
	flags.StringVar(&s.Focus, "focus", "", "a regular expression: only the specs whose text matches")
	flags.StringVar(&s.LeaveOut, "leave-out", os.Getenv("HALFOPEN_LEAVE_OUT"), "a step that every spec leaves out, as in \"fault 1\"")
	flags.BoolVar(&s.Record, "record", false, "the detection matrix that is measured becomes the committed one")
	flags.StringVar(&s.Kernel, "kernel", "", "in virtual time: a package of Debian, or the file of a vmlinuz (default "+run.DefaultKernel+")")
	flags.IntVar(&s.Memory, "memory", run.DefaultMemory, "in virtual time: the guest's memory in MiB")
	flags.StringVar(&s.Report, "report", "report", "the directory that receives the report; the one of an earlier run is replaced")
	if err := parse(flags, arguments); err != nil {
		return false, err
	}
	executors, err := executorsOf(*on)
	if err != nil {
		return false, err
	}
	s.Procs = 1
	if *procs != "" {
		if s.Procs, err = strconv.Atoi(*procs); err != nil {
			return false, fmt.Errorf("%q is not a number of test processes (PROCS)", *procs)
		}
	}
	if err := s.Check(); err != nil {
		return false, err
	}
	if s.Report, err = emptied(s.Report); err != nil {
		return false, err
	}
	passed = true
	var outcomes []*outcome
	for _, e := range executors {
		each := s
		if *procs == "" {
			each.Procs = e.procs
		}
		if len(executors) > 1 {
			each.Report = filepath.Join(s.Report, e.name)
			if err := os.Mkdir(each.Report, 0o755); err != nil {
				return false, err
			}
		}
		o, err := e.run(each)
		if err != nil {
			return false, err
		}
		if len(o.specs) == 0 && s.Focus != "" {
			return false, fmt.Errorf("no spec's text matches %q (FOCUS)", s.Focus)
		}
		if err := o.print(os.Stdout, each); err != nil {
			return false, err
		}
		complete := s.Focus != "" || o.complete()
		if e.name == "virtual" {
			measured, err := showMatrix(os.Stdout, each, o)
			if err != nil {
				return false, err
			}
			complete = complete && measured
		}
		passed = passed && o.green && complete
		outcomes = append(outcomes, o)
	}
	if len(outcomes) > 1 {
		everywhere, err := compare(os.Stdout, s.Report, outcomes)
		return passed && everywhere, err
	}
	return passed, nil
}

// executor is where the suites run.
type executor struct {
	name  string
	run   func(run.Suites) (*outcome, error)
	procs int // as many as wait at once, without being in each other's way
}

func executorsOf(list string) ([]executor, error) {
	var executors []executor
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "host":
			executors = append(executors, executor{name, onHost, 32})
		case "virtual":
			executors = append(executors, executor{name, inVirtualTime, 16})
		default:
			return nil, fmt.Errorf("there is no executor %q: choose virtual, host, or host,virtual", name)
		}
	}
	return executors, nil
}

func onHost(s run.Suites) (*outcome, error) {
	reports, err := s.Host()
	if err != nil {
		return nil, err
	}
	o := sumUp(reports)
	o.executor = "host"
	o.took = fmt.Sprintf("%.1f s on the running kernel, %s", o.wall.Seconds(), release())
	return o, nil
}

func inVirtualTime(s run.Suites) (*outcome, error) {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	reports, result, err := s.Virtual(ctx)
	if err != nil {
		return nil, err
	}
	o := sumUp(reports)
	o.executor = "virtual"
	o.took = fmt.Sprintf("%.0f s, which were %.0f virtual seconds on %s", result.Wall.Seconds(), result.Virtual.Seconds(), result.Kernel)
	return o, nil
}

// release is the running kernel's name.
func release() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "Linux"
	}
	return "Linux " + unix.ByteSliceToString(name.Release[:])
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

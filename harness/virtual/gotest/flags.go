package gotest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/commandline"
)

// testFlags are the arguments of a test binary, as the go command has put them together.
type testFlags struct {
	run, skip string // patterns of test names; empty: all, none
	verbose   bool
	count     int           // how often each test runs
	timeout   time.Duration // of a test binary; zero: none
	others    []string      // passed on as they are, such as -test.short=true
	arguments []string      // what follows -args
}

// refused are flags for which a run of tests in shards has no use.
var refused = map[string]string{
	"bench":        "benchmarks measure real time: run them with go test",
	"fuzz":         "fuzzing needs real time: run it with go test",
	"list":         "run go test -list",
	"coverprofile": "coverage is not collected: leave it out",
	"gocoverdir":   "coverage is not collected: leave -cover out",
	"cpuprofile":   "profiles are of real time: run go test",
	"memprofile":   "profiles are not collected: run go test",
	"blockprofile": "profiles are not collected: run go test",
	"mutexprofile": "profiles are not collected: run go test",
	"trace":        "traces are not collected: run go test",
	"artifacts":    "artifacts are not collected: leave it out",
}

// readFlags reads the arguments of a test binary. The go command writes its own flags as
// -test.NAME=VALUE, or without a value; the first other one is of what follows -args.
func readFlags(arguments []string) (testFlags, error) {
	f := testFlags{count: 1}
	for i, argument := range arguments {
		name, value, _ := strings.Cut(argument, "=")
		name, ours := strings.CutPrefix(name, "-test.")
		if !ours {
			f.arguments = arguments[i:]
			return f, nil
		}
		if why, is := refused[name]; is && value != "false" && value != "" {
			return f, fmt.Errorf("-%s makes no sense here: %s", name, why)
		}
		var err error
		switch name {
		case "run":
			f.run = value
		case "skip":
			f.skip = value
		case "v":
			if value == "test2json" {
				return f, errors.New("-json makes no sense here: the report has JSON (--report)")
			}
			f.verbose, err = strconv.ParseBool(value)
		case "count":
			f.count, err = strconv.Atoi(value)
		case "timeout":
			f.timeout, err = time.ParseDuration(value)
		case "testlogfile", "outputdir": // of the go command alone
		default:
			f.others = append(f.others, argument)
		}
		if err != nil {
			return f, fmt.Errorf("-%s=%s cannot be: its value has another form (go help testflag)", name, value)
		}
	}
	return f, nil
}

// CheckFlags reports, in one line, which flag of go test makes no sense for a run of tests in
// shards.
func CheckFlags(flags []string) error {
	for _, flag := range flags {
		if flag == "-args" || flag == "--args" {
			return nil
		}
		name, value, valued := strings.Cut(flag, "=")
		name = strings.TrimPrefix(strings.TrimLeft(name, "-"), "test.")
		if name == "json" {
			return errors.New("-json makes no sense here: the report has JSON (--report)")
		}
		if why, is := refused[name]; is && strings.HasPrefix(flag, "-") && !(valued && (value == "" || value == "false")) {
			return fmt.Errorf("-%s makes no sense here: %s", name, why)
		}
	}
	return nil
}

// all returns the flags that say which tests run, and how.
func (f testFlags) all() []string {
	all := []string{fmt.Sprintf("-count=%d", f.count)}
	for _, flag := range []struct{ name, value string }{{"-run", f.run}, {"-skip", f.skip}} {
		if flag.value != "" {
			all = append(all, flag.name+"="+flag.value)
		}
	}
	return slices.Concat(all, f.others, f.arguments)
}

// check says in one line what of the flags makes no sense.
func (f testFlags) check(focus string) error {
	if f.count < 1 {
		return fmt.Errorf("each test is to run %d times: choose 1 or more", f.count)
	}
	if err := commandline.CheckPattern(focus); err != nil {
		return fmt.Errorf("the focus %w", err)
	}
	for _, argument := range f.arguments {
		if name, _, _ := strings.Cut(strings.TrimLeft(argument, "-"), "="); name == "ginkgo.focus" {
			return errors.New("-ginkgo.focus makes no sense here: a focus is a flag of its own (--focus)")
		}
	}
	for _, pattern := range []string{f.run, f.skip} {
		if err := parsePattern(pattern).check(); err != nil {
			return fmt.Errorf("the pattern %w", err)
		}
	}
	return nil
}

// checkChoice says in one line if the flags choose no test. Which Ginkgo specs a focus
// chooses is known later.
func (t *Tests) checkChoice() error {
	var plain, ginkgo int
	for _, p := range t.packages {
		for _, f := range p.functions {
			switch {
			case f.ginkgo:
				ginkgo++
			case t.chooses(f):
				plain++
			}
		}
	}
	switch {
	case t.focus != "" && ginkgo == 0:
		return errors.New("a focus chooses Ginkgo specs, and no package here has any: choose tests by their names instead (-run)")
	case plain == 0 && !t.hasSpecs():
		return fmt.Errorf("no test's name matches %q", t.flags.run)
	}
	return nil
}

// chooses reports whether the flags choose a test function.
func (t *Tests) chooses(f function) bool {
	if t.focus != "" && !f.ginkgo {
		return false
	}
	return parsePattern(t.flags.run).matches(f.name) && !parsePattern(t.flags.skip).skips(f.name)
}

// hasSpecs reports whether the flags choose a test function that runs Ginkgo specs.
func (t *Tests) hasSpecs() bool {
	for _, p := range t.packages {
		for _, f := range p.functions {
			if f.ginkgo && t.chooses(f) {
				return true
			}
		}
	}
	return false
}

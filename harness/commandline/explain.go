package commandline

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/nearest"
)

// explain returns the error of the library in this project's words.
func explain(flags *pflag.FlagSet, command string, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return explainUnknown(flags, command, unknown)
	}
	if lacks, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		f := lacks.GetFlag()
		return fmt.Errorf("--%s has no value: write --%s %s", f.Name, f.Name, example(f))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := invalid.GetFlag()
		return fmt.Errorf("%s (--%s)", wrong(f, invalid.GetValue()), f.Name)
	}
	if syntax, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return fmt.Errorf("%q is not a flag: write --NAME VALUE ('%s --help' lists the flags)", syntax.GetSpecifiedFlag(), command)
	}
	return err
}

func explainUnknown(flags *pflag.FlagSet, command string, unknown *pflag.NotExistError) error {
	word := unknown.GetSpecifiedName()
	dashes := "--"
	if all := unknown.GetSpecifiedShortnames(); all != "" {
		name, _, _ := strings.Cut(all, "=")
		if flags.Lookup(name) != nil {
			return fmt.Errorf("-%s is written with two dashes: --%s", name, name)
		}
		word, dashes = name, "-"
	}
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	list := nearest.List("--"+word, names)
	if list == "" {
		list = "it has none"
	}
	return fmt.Errorf("there is no flag %s%s: %s ('%s --help' lists all)", dashes, word, list, command)
}

// duration matches what is written as a duration, also one that is too long for a
// time.Duration.
var duration = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+$`)

// number matches a whole number as people write it.
var number = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)$`)

// wrong says what is wrong with a value of a flag.
func wrong(f *pflag.Flag, value string) string {
	quoted := strconv.Quote(value)
	switch kind := f.Value.Type(); {
	case kind == "duration" && duration.MatchString(value):
		return quoted + " is too long: durations are below 292 years"
	case kind == "duration":
		return quoted + " is not a duration: write it as 90s or 2h30m"
	case kind == "bool":
		return quoted + " is neither true nor false"
	case kind == "uint16":
		return quoted + " is not a port: write a number from 1 to 65535"
	case number.MatchString(value) && strings.HasPrefix(kind, "uint") && strings.HasPrefix(value, "-"):
		return quoted + " is negative: write 0 or more"
	case number.MatchString(value) && isNumber(kind):
		return quoted + " is too large: it must fit in 64 bits"
	case isNumber(kind):
		return quoted + " is not a whole number: write it as 7"
	default:
		return quoted + " is not a " + kind
	}
}

func isNumber(kind string) bool {
	return strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint")
}

// example returns a value that a flag may have.
func example(f *pflag.Flag) string {
	switch kind := f.Value.Type(); {
	case kind == "duration":
		return "2h30m"
	case kind == "uint16":
		return "5000"
	case isNumber(kind):
		return "7"
	}
	return "VALUE"
}

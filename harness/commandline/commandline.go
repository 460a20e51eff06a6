// Package commandline runs commands whose arguments may be wrong in any way: each error is one
// line that says what is wrong and what to write instead, in the words of this project and not in
// those of a library. A name that is none comes with the nearest ones.
//
// What the values mean is for the commands to check.
package commandline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/nearest"
)

// Execute runs the command of a tree that the arguments name, after a function that may refuse
// to; nil: there is none.
func Execute(ctx context.Context, root *cobra.Command, arguments []string, before func(*cobra.Command) error) error {
	root.SilenceErrors, root.SilenceUsage = true, true // the caller prints errors
	root.SetArgs(arguments)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return explain(c.Flags(), c.CommandPath(), err) })
	root.Args = NoArguments
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			for _, shell := range c.Commands() {
				shell.Args = NoArguments
			}
		}
	}
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if err := given(c, arguments); err != nil || before == nil {
			return err
		}
		return before(c)
	}
	if err := checkCommands(root, arguments); err != nil {
		return err
	}
	out := &output{}
	root.SetOut(out)
	if err := root.ExecuteContext(ctx); err != nil {
		return err
	}
	return out.err
}

// output is the standard output. The library drops the errors of the help that it prints.
type output struct{ err error }

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := os.Stdout.Write(p)
	o.err = err
	return n, err
}

// checkCommands returns an error if the arguments begin with a command that there is not.
func checkCommands(root *cobra.Command, arguments []string) error {
	c, help := root, false
	for _, word := range arguments {
		if strings.HasPrefix(word, "-") && word != "-" || strings.HasPrefix(word, "__complete") || !c.HasSubCommands() {
			return nil
		}
		next := find(c, word)
		switch {
		case next == nil:
			return unknownCommand(c, word)
		case c == root && next.Name() == "help" && !help:
			help = true
		default:
			c = next
		}
	}
	return nil
}

func find(c *cobra.Command, name string) *cobra.Command {
	for _, sub := range c.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// unknownCommand is the error of a command that there is not, with the nearest ones and a list.
func unknownCommand(c *cobra.Command, word string) error {
	var names, lines []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
			lines = append(lines, fmt.Sprintf("  %-*s  %s", sub.NamePadding(), sub.Name(), sub.Short))
		}
	}
	return fmt.Errorf("there is no command %q: %s; these are the commands of %s:\n%s", word, nearest.List(word, names), c.CommandPath(), strings.Join(lines, "\n"))
}

// NoArguments is the cobra.Command.Args of a command that takes flags alone.
func NoArguments(c *cobra.Command, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no argument such as %q: a value with spaces is quoted, and every flag has two dashes ('%s --help')", c.CommandPath(), arguments[0], c.CommandPath())
}

// AtMostOne is the cobra.Command.Args of a command that takes one argument, or none.
func AtMostOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, arguments []string) error {
		if len(arguments) <= 1 {
			return nil
		}
		return fmt.Errorf("%s takes one %s, and here are %d: quote a name with spaces, or give one after the other", c.CommandPath(), what, len(arguments))
	}
}

// Exclusive returns an error if a flag is given beside one of the others, which why explains.
func Exclusive(flags *pflag.FlagSet, flag, why string, others ...string) error {
	if !flags.Changed(flag) {
		return nil
	}
	for _, other := range others {
		if flags.Changed(other) {
			return fmt.Errorf("--%s and --%s are both given: %s", flag, other, why)
		}
	}
	return nil
}

// OneOf returns an error if more than one of some flags is given, which why explains.
func OneOf(flags *pflag.FlagSet, why string, names ...string) error {
	for i, name := range names {
		if err := Exclusive(flags, name, why, names[i+1:]...); err != nil {
			return err
		}
	}
	return nil
}

// given returns an error if a flag that has one value is given twice, or has an empty one.
func given(c *cobra.Command, arguments []string) (err error) {
	flags := c.Flags()
	if err := checkFlags(flags, arguments); err != nil {
		return err
	}
	flags.Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.Type() == "string" && f.Value.String() == "" {
			err = fmt.Errorf("the value of --%s is empty: leave the flag out, or give it a value", f.Name)
		}
	})
	return err
}

// checkFlags returns an error if a flag that has one value is given twice, of which the library
// takes the last one, or if a number is written as in a program: 0x50, 1_000 or 010.
func checkFlags(flags *pflag.FlagSet, arguments []string) error {
	seen := map[string]bool{}
	for i := 0; i < len(arguments); i++ {
		if arguments[i] == "--" {
			return nil
		}
		flag, value, valued := named(flags, arguments[i])
		if flag == nil {
			continue
		}
		if seen[flag.Name] && !strings.HasSuffix(flag.Value.Type(), "Array") && !strings.HasSuffix(flag.Value.Type(), "Slice") {
			return fmt.Errorf("--%s is given twice: give it once", flag.Name)
		}
		seen[flag.Name] = true
		if !valued && flag.NoOptDefVal == "" {
			i++ // its value
			value = arguments[min(i, len(arguments)-1)]
		}
		if isNumber(flag.Value.Type()) && !number.MatchString(value) {
			return fmt.Errorf("%s (--%s)", wrong(flag, value), flag.Name)
		}
	}
	return nil
}

// named returns the flag that an argument names, or nil, its value, and whether the argument has
// it.
func named(flags *pflag.FlagSet, argument string) (flag *pflag.Flag, value string, valued bool) {
	if long, ok := strings.CutPrefix(argument, "--"); ok {
		name, value, valued := strings.Cut(long, "=")
		return flags.Lookup(name), value, valued
	}
	if short, ok := strings.CutPrefix(argument, "-"); ok && short != "" {
		return flags.ShorthandLookup(short[:1]), strings.TrimPrefix(short[1:], "="), len(short) > 1
	}
	return nil, "", false
}

// Parse parses the arguments of a command that is not of a tree. Its flags may have one dash, as
// in Go's own commands. For --help it prints the usage and returns pflag.ErrHelp.
func Parse(flags *pflag.FlagSet, arguments []string) error {
	flags.SortFlags = false
	arguments = TwoDashes(flags, arguments)
	err := flags.Parse(arguments)
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if err != nil {
		return explain(flags, flags.Name(), err)
	}
	return checkFlags(flags, arguments)
}

// TwoDashes returns the arguments in which the flags of a set have two dashes. Other arguments,
// and all after "--", stay as they are.
func TwoDashes(flags *pflag.FlagSet, arguments []string) []string {
	changed := slices.Clone(arguments)
	for i, argument := range arguments {
		if argument == "--" {
			break
		}
		name, ours := strings.CutPrefix(argument, "-")
		name, _, _ = strings.Cut(name, "=")
		if ours && len(name) > 1 && flags.Lookup(name) != nil {
			changed[i] = "-" + argument
		}
	}
	return changed
}

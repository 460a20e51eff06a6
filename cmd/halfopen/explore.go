package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// exploreReport is where an exploration keeps what it makes unless --report names another.
const exploreReport = "halfopen-explore"

// exploring is the flags of an exploration of instants, beside those of its subject.
type exploring struct {
	faults     []string
	healed, at []string
	runs       int
	limit      time.Duration
	shard      string
}

func (x *exploring) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&x.faults, "fault", nil, "a fault that strikes ('halfopen run' lists all; default "+strings.Join(explore.DefaultFaults(), "; ")+")")
	f.StringArrayVar(&x.healed, "healed", nil, "how long after the strike the fault is healed, or never (default never, 1s and 1m)")
	f.StringArrayVar(&x.at, "at", nil, "an instant of a strike, since the first packet (default before, at and after each event of the quiet run, and between two)")
	f.IntVar(&x.runs, "runs", 0, fmt.Sprintf("the most runs to make, in batches of %d, spread over all instants and faults (default all)", explore.BatchSize))
	f.DurationVar(&x.limit, "for", 0, "after this time begin no batch (default without a limit)")
	f.StringVar(&x.shard, "shard", "", "make one part, as in 3/16, and leave it for halfopen explore merge")
}

// ofWish are the flags that say what is done to a subject, and how; the others describe it.
var ofWish = []string{"fault", "healed", "at", "runs", "for", "shard", "seed", "report", "json"}

// config returns the exploration that the flags ask for, without its subject.
func (x *exploring) config(c *cobra.Command, arguments []string, seed uint64, report string) (explore.Config, error) {
	config := explore.Config{Wish: explore.Wish{Faults: x.faults, Seed: seed}, Runs: x.runs, For: x.limit, Report: report, Command: commandOf(c, arguments)}
	for _, list := range []struct {
		flag  string
		texts []string
		into  *[]time.Duration
	}{{"healed", x.healed, &config.Healed}, {"at", x.at, &config.At}} {
		for _, text := range list.texts {
			d, err := time.ParseDuration(text)
			switch {
			case list.flag == "healed" && text == "never":
			case err != nil:
				return config, fmt.Errorf("%q is not a time such as 250ms or 1s (--%s)", text, list.flag)
			case list.flag == "healed" && d == 0:
				return config, errors.New("a fault that is healed at once is none: choose a time, or never (--healed)")
			}
			*list.into = append(*list.into, d)
		}
	}
	if c.Flags().Changed("runs") && x.runs < 1 {
		return config, fmt.Errorf("%d runs: choose 1 or more (--runs)", x.runs)
	}
	if c.Flags().Changed("for") && x.limit <= 0 {
		return config, fmt.Errorf("exploring for %v: choose a time such as 10m (--for)", x.limit)
	}
	if x.shard != "" {
		s, err := explore.ParseShard(x.shard)
		if err != nil {
			return config, fmt.Errorf("%w (--shard)", err)
		}
		config.Shard = &s
	}
	return config, config.Check()
}

// commandOf returns the command that explores the same subject: what was typed, without what is
// done to the subject.
func commandOf(c *cobra.Command, arguments []string) string {
	words := append(strings.Fields(c.CommandPath()), arguments...)
	var rest []string
	if dash := c.ArgsLenAtDash(); dash >= 0 {
		words, rest = words[:len(words)-len(arguments)+dash], append([]string{"--"}, arguments[dash:]...)
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(ofWish, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			switch {
			case f.Name == "file":
				words = append(words, "-f", value)
			case f.Value.Type() == "bool" && value == "true":
				words = append(words, "--"+f.Name)
			case f.Value.Type() == "bool":
				words = append(words, "--"+f.Name+"="+value)
			default:
				words = append(words, "--"+f.Name, value)
			}
		}
	})
	return root.JoinCommand(append(words, rest...))
}

func exploreCommand() *cobra.Command {
	s, x := &subject{}, &exploring{}
	c := &cobra.Command{
		Use:   "explore",
		Short: "At which instant does a fault break what must hold?",
		Long: `Runs a program with its peer once without a fault, in a guest with virtual time, and takes
down what happens when. Then it runs them again and again, and each time a fault strikes at another
instant: before, at and after each event, and between two of them; it is healed some time later, or
never. After each run it checks what must hold: no request is lost or done twice, nobody hangs, no
dead connection is left, data arrive as they were sent, the program lives.

Runs that break something are put together, the smallest one of each sort is looked for, and told as
a command that makes it again, to the byte. What is made is kept at once: the same command goes on
after any end. Exit status 0: all held; 1: something was broken; 2: it could not be explored.`,
		Example: `  halfopen explore -f halfopen.yaml --for 10m
  halfopen explore -f halfopen.yaml --fault 'drop in both directions' --healed 1s
  halfopen explore -f halfopen.yaml --shard 3/16 --report part-3
  halfopen explore merge part-* && halfopen explore -f halfopen.yaml`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.exclusive(c); err != nil {
				return err
			}
			return x.explorePrograms(c, s)
		},
	}
	s.flags(c, exploreReport)
	x.flags(c)
	c.AddCommand(exploreTestCommand(), exploreSettingsCommand(), exploreSeedsCommand(), exploreMergeCommand())
	return c
}

// explorePrograms explores the programs of an audit's request.
func (x *exploring) explorePrograms(c *cobra.Command, s *subject) error {
	ctx := c.Context()
	if err := s.read(ctx); err != nil {
		return err
	}
	config, err := x.config(c, nil, s.request.Seed, s.request.Report)
	if err != nil {
		return err
	}
	if err := s.request.Check(); err != nil {
		return err
	}
	if err := s.request.CheckStrikes(config.Faults); err != nil {
		return err
	}
	if err := explore.CheckReport(config.Report); err != nil {
		return err
	}
	subject, err := audit.OpenExplored(ctx, s.request)
	if err != nil {
		return explainPackage(err)
	}
	config.Subject = subject
	if len(config.Faults) == 0 {
		config.Faults = subject.Faults()
	}
	if len(config.Healed) == 0 {
		config.Healed = subject.Healed()
	}
	return exploreInstants(ctx, config, s.report, s.asJSON)
}

// exploreInstants explores, and prints what was found; directory is its name as the user wrote it.
func exploreInstants(ctx context.Context, config explore.Config, directory string, asJSON bool) error {
	p := &exploreProgress{to: os.Stderr, terminal: terminal(os.Stderr), began: time.Now()}
	config.Progress = p.show
	e, err := explore.Instants(ctx, config)
	p.clear()
	if e == nil {
		if err == nil {
			fmt.Fprintf(os.Stderr, "halfopen: %s; the shard is in %s: halfopen explore merge joins it with the others\n", p.summary(), directory)
		}
		return err
	}
	if err := errors.Join(page.WriteExplored(config.Report, e), printFound(os.Stdout, e, asJSON)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "halfopen: %s; the report is in %s\n", p.summary(), directory)
	if err != nil {
		return err
	}
	return verdict(e)
}

// verdict is the error of what was found: errBroken, or that something is unknown.
func verdict(e *explore.Explored) error {
	switch {
	case len(e.Findings) > 0:
		return errBroken
	case e.Made == 0:
		return errors.New("no run was made: give it more time (--for)")
	case len(e.Troubles) > 0:
		return fmt.Errorf("the outcome of %d of %d runs is unknown: %s", e.Troubled(), e.Made, e.Troubles[0].Why)
	}
	return nil
}

// exploreMergeCommand joins the parts of an exploration.
func exploreMergeCommand() *cobra.Command {
	var directory string
	var asJSON bool
	c := &cobra.Command{
		Use:   "merge DIRECTORY...",
		Short: "Joins the parts of an exploration",
		Long: `Joins what parts of one exploration have made, in any order: shards, or one that was interrupted.
The same part twice does no harm, and neither does one that is there in half. It says what is missing.
The result goes where halfopen explore looks for it: the same command as that of the shards, without
--shard, then makes what is missing, makes what was found smaller, and keeps its stories.`,
		Example: `  halfopen explore merge part-*
  halfopen explore -f halfopen.yaml`,
		RunE: func(c *cobra.Command, parts []string) error {
			e, missing, err := explore.Merge(directory, parts)
			if err != nil {
				return err
			}
			if err := errors.Join(page.WriteExplored(directory, e), printFound(os.Stdout, e, asJSON)); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "halfopen: the report is in %s; to go on there: %s\n", directory, e.Command)
			if err := verdict(e); err != nil || missing == "" {
				if missing != "" {
					fmt.Fprintf(os.Stderr, "halfopen: %s\n", missing)
				}
				return err
			}
			return errors.New(missing)
		},
	}
	c.Flags().StringVar(&directory, "report", exploreReport, "the directory for the result")
	c.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return c
}

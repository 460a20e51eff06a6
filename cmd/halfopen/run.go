package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func runCommand() *cobra.Command {
	s := &subject{}
	var asLadder bool
	c := &cobra.Command{
		Use:   "run FAULT...",
		Short: "What happened, one event after the other, when a program met a fault?",
		Long: `Does one fault, or some, to a program, as an audit does all, and prints the timeline of
each: packets, states of sockets, what the program said, on one clock.

A fault is named as on the page of an audit, with ", busy" for one with data under way; or
it is a middlebox that forgets (halfopen presets), if need be with another idle timeout. Without
a fault all are listed. Exit status 0: it was measured; 2: it could not be.`,
		Example: `  halfopen run "host powered off" --client "./myclient {server}:{port}" --port 5000
  halfopen run "idle timeout of 350 s, RST to the sender" azure-lb=1800 -f halfopen.yaml`,
		Args: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 {
				return fmt.Errorf("run needs a fault: %s", faultList())
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, names []string) error {
			if err := s.exclusive(c); err != nil {
				return err
			}
			return runFaults(c.Context(), s, names, asLadder)
		},
	}
	s.flags(c, runReport)
	c.Flags().BoolVar(&asLadder, "ladder", false, "draw each as a ladder: hosts are columns, packets arrows")
	return c
}

func runFaults(ctx context.Context, s *subject, names []string, asLadder bool) error {
	if err := s.read(ctx); err != nil {
		return err
	}
	s.request.Only = names
	if unknown, ok := errors.AsType[*audit.UnknownName](s.request.Check()); ok {
		return explainUnknown(unknown, names)
	}
	found, err := s.measure(ctx)
	if found == nil || err != nil {
		return err
	}
	if s.asJSON {
		return printFound(os.Stdout, found, true)
	}
	return printStories(os.Stdout, s.request.Report, found, names, asLadder)
}

// explainUnknown returns the error of a name that is neither a fault nor a preset, with a list
// of all faults.
func explainUnknown(unknown *audit.UnknownName, arguments []string) error {
	joined := strings.Join(arguments, " ")
	if _, _, err := answer.ParseTitle(joined); len(arguments) > 1 && err == nil {
		return fmt.Errorf("there is no fault %q: quote it: halfopen run %q", unknown.Name, joined)
	}
	return fmt.Errorf("%w; %s", unknown, faultList())
}

// faultList returns the forms of all faults, one a line, with what they mean.
func faultList() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range scenarios.Kinds() {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", k.Form(), k.Meaning())
	}
	_ = w.Flush() // a strings.Builder takes everything
	return "these are the faults ('halfopen presets' lists the middleboxes):\n" + strings.TrimRight(b.String(), "\n")
}

// printStories prints what became of each fault and preset, with its timeline.
func printStories(to io.Writer, report string, found *answer.Answer, names []string, asLadder bool) error {
	print := printStory
	if asLadder {
		print = printLadder
	}
	if slices.Contains(names, audit.QuietConnection) {
		if err := print(to, report, audit.QuietConnection+": "+quietOutcome(found), audit.QuietCapture); err != nil {
			return err
		}
	}
	var unmeasured []string
	for _, f := range found.Faults {
		if f.Verdict == answer.Unmeasured {
			unmeasured = append(unmeasured, f.Title()+": "+f.Reason())
			continue
		}
		what := fmt.Sprintf("%s, %s: %s", f.Name, f.Load, f.Words())
		if f.Recovery != nil {
			what += "; and then: " + f.Recovery.Words()
		}
		if err := print(to, report, what, f.Capture); err != nil {
			return err
		}
	}
	for _, p := range found.Presets {
		switch {
		case !slices.ContainsFunc(names, func(name string) bool { named, err := presets.Parse(name); return err == nil && named.Name == p.Name }):
		case p.Capture == "":
			unmeasured = append(unmeasured, p.Name+": "+p.Why)
		default:
			if err := print(to, report, fmt.Sprintf("%s: an idle session %s: %s", p.Name, p.Outcome, p.Why), p.Capture); err != nil {
				return err
			}
		}
	}
	if len(unmeasured) > 0 {
		return fmt.Errorf("not measured: %s", strings.Join(unmeasured, "; "))
	}
	return nil
}

// printStory prints the outcome of a fault, and the timeline beside its capture.
func printStory(to io.Writer, report, what, capture string) error {
	file := filepath.Join(report, strings.TrimSuffix(capture, filepath.Ext(capture))+".txt")
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the timeline: %w", err)
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	_, err = fmt.Fprintf(to, "%s\n\n%s\n\n", what, strings.Join(excerpt(lines, file), "\n"))
	return err
}

// printLadder prints the outcome of a fault, and its ladder.
func printLadder(to io.Writer, report, what, capture string) error {
	file := filepath.Join(report, answer.LadderOf(capture))
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the ladder: %w", err)
	}
	l, err := ladder.Parse(content)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	l.Title = what
	_, err = fmt.Fprintf(to, "%s\n", l.Text())
	return err
}

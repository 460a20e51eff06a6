package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// presetsCommand lists the presets, and shows one.
func presetsCommand() *cobra.Command {
	var asJSON bool
	list := &cobra.Command{
		Use:   "presets",
		Short: "The middleboxes whose idle timeout is known, and what each does then",
		Long: `The middleboxes whose idle timeout is known: after how long each forgets an idle TCP
flow, what it does then, and whether TCP keepalive probes keep the flow. "Not stated"
means that no source was found that says it.`,
		Example: "  halfopen presets\n  halfopen presets show aws-nat-gw\n  halfopen presets --json",
		Args:    commandline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), presets.All())
			}
			return printPresets(cmd.OutOrStdout(), presets.All())
		},
	}
	list.PersistentFlags().BoolVar(&asJSON, "json", false, "print JSON")
	list.AddCommand(&cobra.Command{
		Use:   "show NAME[=TIME]",
		Short: "One preset, with its sources and the shell commands that do the same on a Linux box",
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 1 {
				return fmt.Errorf("presets show takes one name: 'halfopen presets' lists them")
			}
			return nil
		},
		Example:           "  halfopen presets show azure-lb\n  halfopen presets show azure-lb=1800\n  halfopen presets show azure-lb --json",
		ValidArgsFunction: completePreset,
		RunE: func(cmd *cobra.Command, arguments []string) error {
			p, err := presets.Parse(arguments[0])
			if _, unknown := errors.AsType[*presets.UnknownPreset](err); unknown {
				return fmt.Errorf("%w ('halfopen presets' lists all)", err)
			} else if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), shownPreset{p, p.Played(), byHand(p)})
			}
			return printPreset(cmd.OutOrStdout(), p)
		},
	})
	return list
}

// shownPreset is what `presets show --json` prints.
type shownPreset struct {
	Preset   presets.Preset `json:"preset"`
	Played   string         `json:"played"`
	Commands []string       `json:"commands"`
}

// byHand are the shell commands that do on a Linux box what the preset does.
func byHand(p presets.Preset) []string { return scenarios.Middlebox{Preset: p}.Commands(nil) }

func completePreset(_ *cobra.Command, arguments []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, p := range presets.All() {
		if len(arguments) == 0 && strings.HasPrefix(p.Name, begun) {
			names = append(names, cobra.CompletionWithDesc(p.Name, p.Description))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func printPresets(to io.Writer, all []presets.Preset) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "preset\tidle timeout\tafter expiry\tprobes keep it")
	for _, p := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%v\t%v\n", p.Name, p.Timeout(), p.AfterExpiry, p.ProbesRefresh)
	}
	return w.Flush() // which has the errors of all writes
}

func printPreset(to io.Writer, p presets.Preset) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "%s: %s\n\n", p.Name, p.Description)
	line := func(what, text string) {
		for _, part := range wrap(text, 100) {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", what, part)
			what = ""
		}
	}
	line("idle timeout", p.Timeout())
	line("set by", p.Setting)
	line("after expiry", p.AfterExpiry.String())
	line("probes keep it", p.ProbesRefresh.String())
	if p.SourceNAT {
		line("hides the client", "yes")
	}
	line("note", p.Note)
	line("played", p.Played())
	what := "source"
	for _, s := range p.Sources {
		_, _ = fmt.Fprintf(w, "%s\t%v\n", what, s) // a wrapped address cannot be clicked
		what = ""
	}
	_, _ = fmt.Fprintf(w, "\nThe same by hand:\n\n")
	for _, command := range byHand(p) {
		_, _ = fmt.Fprintf(w, "  %s\n", command)
	}
	return w.Flush()
}

// wrap breaks a text into lines of at most so many bytes, where words allow it. An empty
// text has no lines.
func wrap(text string, width int) (lines []string) {
	for _, word := range strings.Fields(text) {
		if last := len(lines) - 1; last >= 0 && len(lines[last])+1+len(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

func printJSON(to io.Writer, value any) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // it goes to a terminal or a program
	return encoder.Encode(value)
}

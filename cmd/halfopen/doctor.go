package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/doctor"
	"github.com/halfopen-lab/halfopen/harness/commandline"
)

// doctorCommand says what this machine can do.
func doctorCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine can do, and the remedy where it cannot",
		Long: `What this machine can do, found out by trying it, and the remedy where it cannot.
The exit status is 0 when labs can be made on the running kernel or in virtual time, 2
when neither works. Nothing is installed and nothing is left behind.`,
		Example: "  halfopen doctor\n  halfopen doctor --json",
		Args:    commandline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := doctor.Examine(cmd.Context())
			show := printReport
			if asJSON {
				show = func(to io.Writer, r doctor.Report) error { return printJSON(to, r) }
			}
			if err := show(cmd.OutOrStdout(), report); err != nil {
				return err
			}
			if !report.Works() {
				return errors.New("nothing can be measured here: neither the running kernel nor virtual time works")
			}
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func printReport(to io.Writer, r doctor.Report) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, f := range r.Findings {
		text := f.Means
		if f.Remedy != "" {
			text += ": " + f.Remedy
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", f.What, yes(f.Here), text)
	}
	_, _ = fmt.Fprintf(w, "\nthe running kernel\t%s\tlabs in real time\n", yes(r.RunningKernel))
	_, _ = fmt.Fprintf(w, "virtual time\t%s\tlabs in a guest, whose idle hours take no time\n", yes(r.VirtualTime))
	return w.Flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

func reportCommand() *cobra.Command {
	var asJSON, asMarkdown, asHTML, asServer bool
	var picture string
	c := &cobra.Command{
		Use:   "report [DIRECTORY]",
		Short: "What did an earlier audit measure?",
		Long: `Prints the answer that an audit has left in its report directory (halfopen-report unless
it is named), as a page, as Markdown or as JSON. With --html it makes the page to look at, which
the audit has left there as index.html, anew; --svg is the ladder of one fault as a picture of its
own. --serve shows a directory with any number of reports to browsers on this machine.`,
		Example: `  halfopen report
  halfopen report --markdown artifacts/halfopen-report >>"$GITHUB_STEP_SUMMARY"
  halfopen report --svg "host powered off" >ladder.svg
  halfopen report --serve artifacts`,
		Args: commandline.AtMostOne("directory"),
		RunE: func(c *cobra.Command, arguments []string) error {
			if err := commandline.OneOf(c.Flags(), "choose one form", "json", "markdown", "html", "svg", "serve"); err != nil {
				return err
			}
			directory := auditReport
			if len(arguments) > 0 {
				directory = arguments[0]
			}
			if asServer {
				return serve(c.Context(), c.OutOrStdout(), directory)
			}
			found, err := answer.Read(c.Context(), filepath.Join(directory, answer.JSONFile))
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("there is no answer of an audit in %s: halfopen audit leaves one", directory)
			}
			if err != nil {
				return fmt.Errorf("reading the report: %w", err)
			}
			if found.Trouble != "" {
				return fmt.Errorf("that audit failed: %s", found.Trouble)
			}
			switch {
			case asMarkdown:
				_, err := io.WriteString(c.OutOrStdout(), found.Markdown())
				return err
			case asHTML:
				if err := page.WriteAudit(directory, found); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s\n", filepath.Join(directory, page.File))
				return err
			case picture != "":
				drawn, err := pictureOf(found, directory, picture)
				if err != nil {
					return err
				}
				_, err = io.WriteString(c.OutOrStdout(), drawn)
				return err
			}
			return printAnswer(c.OutOrStdout(), found, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	c.Flags().BoolVar(&asMarkdown, "markdown", false, "print it as Markdown")
	c.Flags().BoolVar(&asHTML, "html", false, "write it as a page to look at, and print the file's name")
	c.Flags().StringVar(&picture, "svg", "", "print the ladder of a `FAULT` as SVG")
	c.Flags().BoolVar(&asServer, "serve", false, "serve the directory to browsers on this machine")
	return c
}

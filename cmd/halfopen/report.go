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
)

func reportCommand() *cobra.Command {
	var asJSON, asMarkdown bool
	c := &cobra.Command{
		Use:   "report [DIRECTORY]",
		Short: "What did an earlier audit measure?",
		Long: `Prints the answer that an audit has left in its report directory (halfopen-report unless
it is named), as a page, as Markdown or as JSON.`,
		Example: `  halfopen report
  halfopen report --markdown artifacts/halfopen-report >>"$GITHUB_STEP_SUMMARY"`,
		Args: commandline.AtMostOne("directory"),
		RunE: func(c *cobra.Command, arguments []string) error {
			if err := commandline.Exclusive(c.Flags(), "json", "choose one form", "markdown"); err != nil {
				return err
			}
			directory := auditReport
			if len(arguments) > 0 {
				directory = arguments[0]
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
			if asMarkdown {
				_, err := io.WriteString(c.OutOrStdout(), found.Markdown())
				return err
			}
			return printAnswer(c.OutOrStdout(), found, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	c.Flags().BoolVar(&asMarkdown, "markdown", false, "print it as Markdown")
	return c
}

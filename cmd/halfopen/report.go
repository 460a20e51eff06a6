package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// reportForm says how an earlier report is shown.
type reportForm struct {
	asJSON, asMarkdown, asHTML, asServer bool
	picture                              string // its name; empty: none
	since                                string // the directory of an earlier report; empty: none
}

func reportCommand() *cobra.Command {
	var form reportForm
	c := &cobra.Command{
		Use:   "report [DIRECTORY]",
		Short: "What did an earlier audit measure, or a test run show?",
		Long: `Prints the answer that an audit has left in its report directory (halfopen-report unless
it is named), as a page, as Markdown or as JSON. With --html it makes the page to look at, which
the audit has left there as index.html, anew; with --since the page says what has changed since
an earlier report. --svg is a picture of its own: the ladder of a fault. --serve shows a directory
with any number of reports to browsers on this machine.

The directory of an exploration is shown as a page, with --json or with --html; --svg is the story of
a finding, by its number. The directory of a test run has --html, --since and --svg: the ladder of a
failed test, of a cell of the detection matrix, or the matrix itself.`,
		Example: `  halfopen report
  halfopen report --markdown artifacts/halfopen-report >>"$GITHUB_STEP_SUMMARY"
  halfopen report --svg "host powered off" >ladder.svg
  halfopen report --html report --since report-of-yesterday
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
			return form.show(c.Context(), c.OutOrStdout(), directory)
		},
	}
	c.Flags().BoolVar(&form.asJSON, "json", false, "print it as JSON")
	c.Flags().BoolVar(&form.asMarkdown, "markdown", false, "print it as Markdown")
	c.Flags().BoolVar(&form.asHTML, "html", false, "write it as a page to look at, and print the file's name")
	c.Flags().StringVar(&form.picture, "svg", "", "print the ladder of a `FAULT` as SVG")
	c.Flags().BoolVar(&form.asServer, "serve", false, "serve the directory to browsers on this machine")
	c.Flags().StringVar(&form.since, "since", "", "with --html: say what has changed since the report in this `DIRECTORY`")
	return c
}

// show shows the report in a directory.
func (f reportForm) show(ctx context.Context, to io.Writer, directory string) error {
	tests := page.IsTests(directory)
	switch info, err := os.Stat(directory); {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is not a directory: name one that an audit or a test run has left", directory)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("reading the report: %w: name a directory that an audit or a test run has left", err)
	case f.since != "" && !f.asHTML:
		return errors.New("--since is for a page to look at: add --html")
	case f.since != "" && tests && !page.IsTests(f.since):
		return fmt.Errorf("there is no report of a test run in %s (--since)", f.since)
	case f.asServer:
		return serve(ctx, to, directory)
	case f.picture != "":
		drawn, err := page.SVG(ctx, directory, f.picture)
		if err != nil {
			return err
		}
		_, err = io.WriteString(to, drawn)
		return err
	case tests && !f.asHTML:
		return fmt.Errorf("%s has the report of a test run: choose --html, --svg or --serve", directory)
	case tests:
		if err := page.WriteTests(directory, f.since); err != nil {
			return err
		}
		return f.printName(to, directory)
	}
	if explore.IsExploration(directory) {
		if f.since != "" {
			return fmt.Errorf("%s has an exploration, and --since is for audits and test runs", directory)
		}
		return f.showExploration(ctx, to, directory)
	}
	found, err := readAudit(ctx, directory)
	if err != nil {
		return err
	}
	switch {
	case f.asMarkdown:
		_, err := io.WriteString(to, found.Markdown())
		return err
	case f.asHTML:
		var before *page.Earlier
		if f.since != "" {
			earlier, err := readAudit(ctx, f.since)
			if err != nil {
				return fmt.Errorf("%w (--since)", err)
			}
			before = &page.Earlier{Name: f.since, Answer: earlier}
		}
		if err := page.WriteAudit(directory, found, before); err != nil {
			return err
		}
		return f.printName(to, directory)
	}
	return printFound(to, found, f.asJSON)
}

// readAudit reads the answer of an audit from the directory of its report.
func readAudit(ctx context.Context, directory string) (*answer.Answer, error) {
	found, err := answer.Read(ctx, filepath.Join(directory, answer.JSONFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no answer of an audit in %s: halfopen audit leaves one", directory)
	case err != nil:
		return nil, fmt.Errorf("reading the report: %w", err)
	case found.Trouble != "":
		return nil, fmt.Errorf("that audit failed: %s", found.Trouble)
	}
	return found, nil
}

// showExploration shows what an exploration has found.
func (f reportForm) showExploration(ctx context.Context, to io.Writer, directory string) error {
	e, err := explore.Read(ctx, directory)
	switch {
	case err != nil:
		return err
	case f.asMarkdown:
		return fmt.Errorf("%s has an exploration: choose --json, --html, --svg or --serve, or none", directory)
	case f.asHTML:
		if err := page.WriteExplored(directory, e); err != nil {
			return err
		}
		return f.printName(to, directory)
	}
	return printFound(to, e, f.asJSON)
}

// printName prints the name of the page's file.
func (f reportForm) printName(to io.Writer, directory string) error {
	_, err := fmt.Fprintf(to, "%s\n", filepath.Join(directory, page.File))
	return err
}

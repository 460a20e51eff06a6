package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/promises"
	"github.com/halfopen-lab/halfopen/harness"
)

// auditing is the arguments of the audit.
type auditing struct {
	subject
	baseline string
	update   bool
}

func auditCommand() *cobra.Command {
	a := &auditing{}
	c := &cobra.Command{
		Use:   "audit",
		Short: "What does a program do when the other side is gone, and how long does it take?",
		Long: `Runs an unmodified program in a guest with virtual time (or, with --host, on the running
kernel), breaks its connection in ten ways (a peer that is killed, stopped or powered off, a
firewall that forgets), and tells what its kernel and the program itself notice, and when;
which settings are in force on its socket; and behind which middleboxes an idle session
lives on.

The other side is a fixture, which connects or accepts, reads, and holds; or the user's
own program, where both are named. Exit status 0: it keeps its promises, or there are
none; 1: it does not; 2: it could not be measured.`,
		Example: `  halfopen audit --package nginx --server "nginx -g 'daemon off;'" --port 80 --send 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  halfopen audit --client "./myclient {server}:{port}" --port 5000 --echo
  halfopen audit -f halfopen.yaml --baseline baseline.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context()) },
	}
	a.flags(c, auditReport)
	f := c.Flags()
	f.StringArrayVar(&a.request.Presets, "preset", nil, "a middlebox to run it behind (see 'halfopen presets'); behind the others it is derived")
	c.MarkFlagsMutuallyExclusive("file", "preset")
	f.StringVar(&a.baseline, "baseline", "", "an earlier answer as JSON: what has changed beyond the tolerance is a broken promise")
	f.BoolVar(&a.update, "update", false, "write the answer to the baseline instead of comparing")
	return c
}

func (a *auditing) run(ctx context.Context) error {
	if a.update && a.baseline == "" {
		return errors.New("--update needs --baseline, the file to write")
	}
	baseline, err := filepath.Abs(a.baseline) // seen from here, and not from the file's directory
	if err != nil {
		return err
	}
	report, err := a.read()
	if err != nil {
		return err
	}
	if a.baseline != "" && strings.HasPrefix(baseline, report+string(filepath.Separator)) {
		return fmt.Errorf("the baseline %s is in the report's directory, which every audit empties: keep it elsewhere", a.baseline)
	}
	var was *answer.Answer
	if a.baseline != "" && !a.update {
		was, err = answer.Read(baseline)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("reading the baseline: there is no %s: --update writes it", a.baseline)
		}
		if err != nil {
			return fmt.Errorf("reading the baseline: %w", err)
		}
	}
	found, err := a.measure(ctx, report, nil)
	if found == nil {
		return err
	}
	if err := errors.Join(found.Write(report), printAnswer(os.Stdout, found, a.asJSON), err); err != nil {
		return err
	}
	results := a.request.Expect.Check(found)
	switch {
	case a.update:
		err = found.WriteJSON(baseline)
	case was != nil:
		var compared []promises.Result
		compared, err = promises.Compare(was, found)
		results = append(results, compared...)
	}
	if err != nil {
		return err
	}
	return tell(results, found, report)
}

// tell writes what came of the promises into the report and to standard error. It is an
// error when one is broken, and another when nobody knows.
func tell(results []promises.Result, found *answer.Answer, report string) error {
	if len(results) == 0 {
		return nil
	}
	if err := promises.WriteJUnit(filepath.Join(report, answer.JUnitFile), found.Program.Command, results); err != nil {
		return err
	}
	var broken, open int
	for _, r := range results {
		switch {
		case r.Broken != "":
			broken++
			fmt.Fprintf(os.Stderr, "broken: %s\n", r.Broken)
		case r.Open != "":
			open++
			fmt.Fprintf(os.Stderr, "not measured: %s\n", r.Open)
		}
	}
	switch {
	case broken > 0:
		return errBroken
	case open > 0:
		return fmt.Errorf("what came of %d of %d promises is not known", open, len(results))
	}
	return nil
}

// hiddenCommands are those with which this program starts itself.
func hiddenCommands() []*cobra.Command {
	status := func(err error) int {
		if err != nil {
			fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
			return notMeasured
		}
		return kept
	}
	return []*cobra.Command{
		{
			Use: audit.Measure, Hidden: true, Args: cobra.ExactArgs(2),
			Run: func(c *cobra.Command, arguments []string) {
				harness.Main(func() int { return status(audit.Measuring(c.Context(), arguments[0], arguments[1])) })
			},
		},
		{
			Use: audit.RemoveInstance, Hidden: true, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return audit.RemovingInstance(os.Stdin) },
		},
	}
}

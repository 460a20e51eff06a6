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
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// auditing is the flags of halfopen audit.
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
kernel), breaks its connection in eleven ways (a peer that is killed, stopped or powered off, a
firewall that forgets), and tells what its kernel and the program itself notice, and when;
which settings are in force on its socket; and behind which middleboxes an idle session
lives on.

The other side is a fixture, which connects or accepts, reads, and holds; or the user's
own program, where both are named. Exit status 0: it keeps its promises, or there are
none; 1: it does not; 2: it could not be measured.`,
		Example: `  halfopen audit --package nginx --server "nginx -g 'daemon off;'" --port 80 --conversation http
  halfopen audit --client "./myclient {server}:{port}" --port 5000 --echo
  halfopen audit -f halfopen.yaml --baseline baseline.json`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := errors.Join(a.exclusive(c), commandline.Exclusive(c.Flags(), "file", inFile, "fault", "preset")); err != nil {
				return err
			}
			return a.run(c.Context())
		},
	}
	a.flags(c, auditReport)
	f := c.Flags()
	f.StringArrayVar(&a.request.Faults, "fault", nil, "a fault to measure beside the usual ones ('halfopen run' lists all), with \", busy\" for data under way")
	f.StringArrayVar(&a.request.Presets, "preset", nil, "a middlebox to run it behind (see 'halfopen presets'), or NAME=TIME for another idle timeout; behind the others it is derived")
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
	if err := a.read(ctx); err != nil {
		return err
	}
	report := a.request.Report
	var was *answer.Answer
	if a.baseline != "" {
		if was, err = a.readBaseline(ctx, baseline); err != nil {
			return err
		}
	}
	found, err := a.measure(ctx)
	if found == nil {
		return err
	}
	if err := errors.Join(printFound(os.Stdout, found, a.asJSON), err); err != nil {
		return err
	}
	results := a.request.Expect.Check(found)
	switch {
	case a.update:
		err = found.WriteJSON(baseline)
	case was != nil:
		var compared []answer.Result
		compared, err = answer.Compare(was, found)
		results = append(results, compared...)
	}
	if err != nil {
		return err
	}
	if err := tell(results, found, report); err != nil || found.Measured() {
		return err
	}
	return fmt.Errorf("no fault could be measured: %s", found.Faults[0].Reason())
}

// readBaseline returns the answer to compare with; nil where the baseline is to be written.
// It refuses, before anything is measured, a file that cannot be read or written.
func (a *auditing) readBaseline(ctx context.Context, file string) (*answer.Answer, error) {
	if strings.HasPrefix(file, a.request.Report+string(filepath.Separator)) {
		return nil, fmt.Errorf("the baseline %s is in the report's directory, which every audit empties: keep it elsewhere", a.baseline)
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return nil, fmt.Errorf("the baseline %s is a directory: name a file", a.baseline)
	}
	if a.update {
		if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("writing the baseline %s: there is no directory %s: make it first", a.baseline, filepath.Dir(file))
		}
		if unix.Access(filepath.Dir(file), unix.W_OK|unix.X_OK) != nil {
			return nil, fmt.Errorf("writing the baseline %s: this user may not write to %s: name another file", a.baseline, filepath.Dir(file))
		}
		return nil, nil
	}
	was, err := answer.Read(ctx, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the baseline: there is no %s: --update writes it", a.baseline)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return was, nil
}

// tell writes the outcome of the promises into the report and to standard error. It is an
// error when one is broken, and another when one is unknown.
func tell(results []answer.Result, found *answer.Answer, report string) error {
	if len(results) == 0 {
		return nil
	}
	if err := answer.WriteJUnit(filepath.Join(report, answer.JUnitFile), found.Program.Command, results); err != nil {
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
		return fmt.Errorf("the outcome of %d of %d promises is unknown", open, len(results))
	}
	return nil
}

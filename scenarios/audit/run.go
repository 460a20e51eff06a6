package audit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// Run carries an audit out and returns its answer, which is also in r.Report, as JSON,
// Markdown and a page to look at, with the captures and timelines of all trials. Bad requests are refused before
// anything else (Request.Check).
//
// When ctx ends early there is an error, and also an answer if anything was measured until
// then. Otherwise there is one or the other. What kept a single fault from being measured
// is in the answer.
func Run(ctx context.Context, r Request) (_ *answer.Answer, err error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	r = r.completed()
	if r.Report, err = filepath.Abs(r.Report); err != nil {
		return nil, fmt.Errorf("looking for the report's directory: %w", err)
	}
	if err := r.checkHere(); err != nil {
		return nil, err
	}
	held, err := report.Open(r.Report)
	if err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	measure := runInGuest
	if r.RealTime {
		measure = runOnHost
	}
	a, err := measure(ctx, r, held)
	if a != nil {
		err = errors.Join(err, page.WriteAudit(r.Report, a, nil))
	}
	return a, err
}

// measuring is the process that measures. Its arguments are the file of the plan and the
// directory of the report; it writes the answer there.
const measuring reexec.Name = "audit"

// readAnswer reads the answer that the measuring process, which ended in a way, has written.
func readAnswer(ctx context.Context, directory, how string) (*answer.Answer, error) {
	a, err := answer.Read(context.WithoutCancel(ctx), filepath.Join(directory, answer.JSONFile))
	switch {
	case ctx.Err() != nil && (err != nil || a.Trouble != ""):
		return nil, fmt.Errorf("ended early, before there was anything to report: %w", context.Cause(ctx))
	case ctx.Err() != nil:
		return a, fmt.Errorf("ended early, and the report in %s has what was measured until then: %w", directory, context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("the measuring process %s and left no answer: %w", how, err)
	case a.Trouble != "":
		return nil, errors.New(a.Trouble)
	}
	return a, nil
}

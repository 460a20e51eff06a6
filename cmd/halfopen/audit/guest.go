// Package audit runs an audit, in a virtual guest or on the running kernel, and brings the
// answer out.
//
// The parts are below it: plan, packing, measuring (which runs in the guest), contained
// (the box of a program) and answer.
package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/measuring"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/packing"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// Measure is the hidden command of this program that measures: its arguments are the file
// of the plan, and the directory of the report.
const Measure = "measure"

// In the guest: the plan, and the report directory with the answer in it.
const (
	planFile = "/etc/halfopen-audit.json"
	report   = "/report"
	told     = "halfopen: " // begins a line of the console that is for the user
)

// Guest is a machine for one audit.
type Guest struct {
	Plan     *plan.Plan
	Files    *virtual.Files
	Machine  virtual.Machine
	Seed     uint64
	Memory   int    // MiB; zero: as much as it needs
	Report   string // the directory that receives what is left behind
	Progress io.Writer
}

// Run carries the plan out in the guest and returns the answer. The report directory
// then has the captures. When ctx ends, there is an error, and an answer with what had
// been measured by then, if there was anything.
func (g *Guest) Run(ctx context.Context) (*answer.Answer, virtual.Result, error) {
	if err := harness.EmptyReport(g.Report); err != nil {
		return nil, virtual.Result{}, fmt.Errorf("%w (--report)", err)
	}
	content, err := json.Marshal(g.Plan)
	if err != nil {
		return nil, virtual.Result{}, err
	}
	g.Files.Write(planFile, content, 0o644)
	memory := g.Memory
	if memory == 0 {
		memory = int(2*g.Files.Size()>>20) + 768 // the archive, what is unpacked of it, and the labs
	}
	machine := virtual.Guest{
		Machine: g.Machine, Files: g.Files, Memory: memory, Seed: g.Seed,
		Commands:    []guest.Command{{Arguments: []string{packing.Self, Measure, planFile, report}, Directory: "/"}},
		Settings:    environment.Settings{Report: report},
		Report:      report, Into: g.Report, Console: &progress{to: g.Progress},
	}
	result, err := machine.Run(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, result, err
	}
	a, err := read(ctx, g.Report, fmt.Sprintf("ended with status %d", result.Status()))
	return a, result, err
}

// read reads the answer that the measuring has left, which ended in that way. When ctx has
// ended there is an error, and an answer with what had been measured by then, if there was
// anything.
func read(ctx context.Context, directory, how string) (*answer.Answer, error) {
	a, err := answer.Read(filepath.Join(directory, answer.JSONFile))
	switch {
	case ctx.Err() != nil && (err != nil || a.Trouble != ""): // it came too early
		return nil, fmt.Errorf("ended early, before there was anything to report: %w", context.Cause(ctx))
	case ctx.Err() != nil:
		return a, fmt.Errorf("ended early, and the report in %s has what was measured until then: %w", directory, context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("the measuring left no answer, and %s: %w", how, err)
	case a.Trouble != "":
		return nil, errors.New(a.Trouble)
	}
	return a, nil
}

// Measuring is the command Measure.
func Measuring(ctx context.Context, planFile, report string) error {
	content, err := os.ReadFile(planFile)
	if err != nil {
		return err
	}
	p := &plan.Plan{}
	if err := json.Unmarshal(content, p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	a, err := measuring.Run(ctx, p, report)
	if err != nil {
		a = &answer.Answer{Trouble: err.Error()}
	}
	return a.WriteJSON(filepath.Join(report, answer.JSONFile))
}

// progress passes on those lines of the console that are for the user.
type progress struct {
	to   io.Writer // nil: nowhere
	line []byte
}

func (p *progress) Write(content []byte) (int, error) {
	if p.to == nil {
		return len(content), nil
	}
	p.line = append(p.line, content...)
	for {
		line, rest, complete := bytes.Cut(p.line, []byte("\n"))
		if !complete {
			return len(content), nil
		}
		if text, ok := strings.CutPrefix(strings.TrimRight(string(line), "\r"), told); ok {
			_, _ = fmt.Fprintf(p.to, "  %s\n", text)
		}
		p.line = rest
	}
}

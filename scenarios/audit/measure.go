package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func init() { reexec.Register(measuring, measureProcess) }

// measureProcess is the measuring process. Its arguments are the file of the plan and the
// directory of the report. It does not return.
func measureProcess(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("it was started with %d arguments: the file of the plan and the directory of the report are needed", len(arguments))
	}
	planFile, report := arguments[0], arguments[1]
	harness.Main(func() int {
		ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		a, err := measureFile(ctx, planFile, report)
		if err != nil {
			a = &answer.Answer{Trouble: err.Error()}
		}
		if err := a.Write(report); err != nil {
			fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
			return 1
		}
		return 0
	})
	return nil
}

// measureFile measures the plan in a file.
func measureFile(ctx context.Context, planFile, report string) (*answer.Answer, error) {
	content, err := os.ReadFile(planFile)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	p := &plan{}
	if err := json.Unmarshal(content, p); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	p.Progress = func(step Progress) { _ = step.write(os.Stdout) } // an error could be told to nobody
	return measure(ctx, p, report)
}

// The directories of the report: the packets and the timeline of each trial, and the
// evidence of those that could not be measured.
const (
	captures = "captures"
	failed   = "failed"
)

// measure measures all trials of a plan, and writes their captures into the report. An
// error is what keeps every trial from being measured.
func measure(ctx context.Context, p *plan, report string) (*answer.Answer, error) {
	if err := p.certify(report); err != nil {
		return nil, err
	}
	for _, root := range p.Prepared {
		if err := root.prepare(ctx); err != nil {
			return nil, err
		}
	}
	t, err := trace.Open()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(report, captures), 0o755); err != nil {
		return nil, fmt.Errorf("making room for the captures: %w", err)
	}
	var a *answer.Answer
	trials := 0
	for _, family := range p.families() {
		over := *p
		over.Over = family
		m := &measurement{plan: &over, report: report, began: time.Now()}
		for _, f := range p.trials() {
			m.outcomes = append(m.outcomes, &outcome{trial: newTrial(ctx, trials, &over, f, t)})
			trials++
		}
		found := m.measure(ctx)
		if a != nil {
			a.OverIPv6 = found
			break
		}
		if a = found; a.Trouble != "" {
			break
		}
		p.Watch = over.Watch // of both families
	}
	return a, nil
}

// measure measures all trials of one family, and concludes.
func (m *measurement) measure(ctx context.Context) *answer.Answer {
	unknown := m.runTrials(ctx)
	p, a := m.plan, conclude(m.plan, m.outcomes)
	a.Unknown = append(a.Unknown, unknown...)
	if slices.ContainsFunc(p.wanted(), p.tooLong) {
		a.Unknown = append(a.Unknown, fmt.Sprintf("what takes longer than %v in real time: idle timeouts and middleboxes that do, and whether the advised settings work (--watch, or without --host)", a.Watched))
	}
	if ctx.Err() != nil {
		a.Unknown = append(a.Unknown, fmt.Sprintf("what happens later than %v, and the faults that say so: the audit was ended early", a.Watched))
	}
	return a
}

// measurement is all trials of a plan.
type measurement struct {
	plan     *plan
	report   string // its directory
	began    time.Time
	outcomes []*outcome

	running sync.WaitGroup
	telling sync.Mutex
}

// runTrials runs the trials, and returns what will stay unknown because they are watched for
// less than the longest time.
//
// The first one, the quiet connection, shows whether there is anything to measure, and what
// its waiting costs. The others start one after another: many programs that start at once
// are as slow as on a machine with a fraction of a processor each.
func (m *measurement) runTrials(ctx context.Context) (unknown []string) {
	p, first := m.plan, m.outcomes[0]
	m.start(first)
	<-first.trial.settled
	if first.trial.ready {
		p.shortLife = first.trial.lived
		if p.Watch == 0 {
			p.affordable = true
			p.Watch, unknown = affordable(first.trial.wakeups, len(m.outcomes))
		}
		first.trial.watching <- p.Watch
		for _, o := range m.outcomes[1:] {
			if ctx.Err() != nil {
				o.err = errEndedEarly
				continue
			}
			m.start(o)
			if !p.RealTime { // on a machine with processors to spare
				<-o.trial.settled
			}
		}
	}
	m.running.Wait()
	return unknown
}

// start runs a trial in the background.
func (m *measurement) start(o *outcome) {
	m.running.Go(func() {
		o.story, o.err = o.trial.run(filepath.Join(m.report, captures, o.fileName()), filepath.Join(m.report, failed, o.fileName()))
		o.trial.settle()
		m.telling.Lock()
		defer m.telling.Unlock()
		m.plan.tell(Progress{Stage: Measured, Trial: m.plan.named(o.trial), Failed: o.err != nil, Elapsed: answer.Of(time.Since(m.began))})
	})
}

// named returns the title of a trial, with its family where there are two.
func (p *plan) named(t *trial) string {
	if len(p.families()) > 1 {
		return fmt.Sprintf("%s, over %v", t.title(), p.Over)
	}
	return t.title()
}

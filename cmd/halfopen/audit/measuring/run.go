package measuring

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
)

// Run carries the plan out and writes what a trial leaves behind into the report
// directory. What keeps every trial from being measured is in the answer's Trouble;
// what keeps one, in its row's.
func Run(ctx context.Context, p *plan.Plan, report string) (*answer.Answer, error) {
	t, err := startTracer()
	if err != nil {
		return nil, err
	}
	captures := filepath.Join(report, "captures")
	if err := os.MkdirAll(captures, 0o755); err != nil {
		return nil, err
	}
	outcomes := make([]outcome, 0, len(faults))
	for i, f := range faults {
		if f.busy && p.Send == "" {
			continue
		}
		outcomes = append(outcomes, outcome{trial: &trial{fault: f, number: i, plan: p, tracer: t}})
	}
	began := time.Now()
	var all sync.WaitGroup
	for i := range outcomes {
		o := &outcomes[i]
		all.Go(func() {
			o.err = try(o.trial.name, func(test *test) {
				o.trial.test = test
				o.story = o.trial.run()
				o.story.packets = o.trial.packets()
				test.must(o.trial.keep(filepath.Join(captures, o.file())))
			})
			fmt.Printf("halfopen: %8.3f s  %s: done\n", time.Since(began).Seconds(), o.trial.describe())
		})
	}
	all.Wait()
	return conclude(p, outcomes), nil
}

// outcome is what came of a trial.
type outcome struct {
	trial *trial
	story story
	err   error
}

// file is the name of the trial's files in the report, without what they end with.
func (o *outcome) file() string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(o.trial.describe()))
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	return fmt.Sprintf("%02d-%s", o.trial.number, name)
}

// describe is the fault and the load.
func (t *trial) describe() string {
	if t.busy {
		return t.name + ", " + answer.Busy
	}
	return t.name
}

// conclude makes the answer of the outcomes. The first one is the trial in which
// nothing happened.
func conclude(p *plan.Plan, outcomes []outcome) *answer.Answer {
	program := p.Program(p.UnderTest)
	a := &answer.Answer{
		Program: answer.Program{Side: string(p.UnderTest), Command: program.Text, Package: program.Package, Port: p.Port, Peer: "a fixture"},
		Kernel:  kernel(),
		Watched: answer.Of(p.Watch),
	}
	if other := p.Program(p.UnderTest.Other()); other != nil {
		a.Program.Peer = other.Text
	}
	quiet := &outcomes[0]
	if quiet.err != nil {
		a.Trouble = oneLine(quiet.err)
		return a
	}
	a.Program.Loopback, a.Program.Ready = quiet.trial.loopback, answer.Of(quiet.trial.took)
	a.Wire = quiet.wire()
	if s := quiet.trial.settings; s != nil {
		if a.Settings = s.Settings; s.err != nil {
			a.Unknown = append(a.Unknown, "the settings of its socket: "+s.err.Error())
		}
	}
	for i := range outcomes[1:] {
		a.Faults = append(a.Faults, outcomes[i+1].row(a.Wire))
	}
	if p.Send == "" {
		a.Unknown = append(a.Unknown, "what it does with data under way: it was sent nothing to answer (--send)")
	}
	return a
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}

// row judges a trial.
func (o *outcome) row(quiet answer.Wire) answer.Fault {
	t, s := o.trial, o.story
	f := answer.Fault{Name: t.name, Load: answer.Idle, Capture: "captures/" + o.file() + ".pcapng"}
	if t.busy {
		f.Load = answer.Busy
	}
	if o.err != nil {
		f.Trouble, f.Capture = oneLine(o.err), ""
		return f
	}
	since := t.heard
	if t.struck.IsZero() { // it was over before
		since = t.began
	}
	if told, ok := s.kernel(); ok {
		f.Kernel = told.event(since)
	}
	if noticed, ok := s.program(); ok {
		f.Noticed = noticed.event(since)
	}
	if s.exit != nil {
		f.Exit = turn{s.exit.Text, s.exit.At}.event(since)
	}
	switch {
	case f.Noticed != nil && f.Kernel == nil && quiet.Ended != nil:
		f.Verdict = answer.ByItself
	case f.Noticed != nil || f.Exit != nil:
		f.Verdict = answer.Noticing
	case f.Kernel != nil:
		f.Verdict = answer.KernelOnly
	case t.dead, t.lab.Firewall != nil && t.before != nil && !t.flowKnown:
		f.Verdict = answer.Never
	default:
		f.Verdict = answer.Alive
	}
	return f
}

func oneLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// wire is what was seen of the trial in which nothing happened.
func (o *outcome) wire() answer.Wire {
	t := o.trial
	w := look(o.story.packets, t.over)
	if told, ok := o.story.program(); ok {
		w.Ended = told.event(t.began)
	}
	return w
}

package measuring

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
)

// Captures is the directory of the report with each trial's packets and timeline.
const Captures = "captures"

// Run carries the plan out and writes what a trial leaves behind into the report
// directory. What keeps every trial from being measured is in the answer's Trouble;
// what keeps one, in its row's.
func Run(ctx context.Context, p *plan.Plan, report string) (*answer.Answer, error) {
	for _, command := range p.Prepare {
		if out, err := exec.CommandContext(ctx, "/bin/sh", "-c", command).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("preparing the guest: %s: %w: %s", command, err, strings.TrimSpace(string(out)))
		}
	}
	t, err := startTracer()
	if err != nil {
		return nil, err
	}
	captures := filepath.Join(report, Captures)
	if err := os.MkdirAll(captures, 0o755); err != nil {
		return nil, err
	}
	outcomes := []*outcome{}
	for i, f := range trials(p) {
		outcomes = append(outcomes, &outcome{trial: &trial{fault: f, ctx: ctx, number: i, plan: p, tracer: t, settled: make(chan struct{}), watching: make(chan time.Duration, 1)}})
	}
	began, ofTime := time.Now(), " of virtual time"
	if p.RealTime {
		ofTime = ""
	}
	var all sync.WaitGroup
	start := func(o *outcome) {
		if ctx.Err() != nil {
			o.err = errEndedEarly
			return
		}
		all.Go(func() {
			o.err = try(o.trial.describe(), func(test *test) {
				o.trial.test = test
				o.story = o.trial.run()
				o.story.packets = o.trial.packets()
				test.must(o.trial.keep(filepath.Join(captures, o.file())))
			})
			o.trial.settle()
			what := "measured"
			if o.err != nil {
				what = "not measured"
			}
			fmt.Printf("halfopen: %s: %s after %v%s\n", o.trial.describe(), what, answer.Of(time.Since(began)), ofTime)
		})
	}
	// The first one, in which nothing happens, shows whether there is anything to
	// measure, and what that costs. The others start one after another: many at once
	// would be as slow as on a machine with a fraction of a processor each.
	start(outcomes[0])
	<-outcomes[0].trial.settled
	var unknown []string
	if outcomes[0].trial.ready {
		if p.Watch == 0 {
			p.Watch, unknown = affordable(outcomes[0].trial.busyness, len(outcomes))
		}
		outcomes[0].trial.watching <- p.Watch
		for _, o := range outcomes[1:] {
			start(o)
			if o.err == nil && !p.RealTime { // whose machine is fast
				<-o.trial.settled
			}
		}
	}
	all.Wait()
	a := conclude(p, outcomes)
	a.Unknown = append(a.Unknown, unknown...)
	if slices.ContainsFunc(wanted(p), func(f fault) bool { return tooLong(p, f) }) {
		a.Unknown = append(a.Unknown, fmt.Sprintf("what takes longer than %v in real time: idle timeouts and middleboxes that do, and whether advised settings work (--watch, or without --host)", a.Watched))
	}
	if ctx.Err() != nil {
		a.Unknown = append(a.Unknown, fmt.Sprintf("what happens later than %v, and the faults that say so: the audit was ended early", a.Watched))
	}
	return a, nil
}

// outcome is what came of a trial.
type outcome struct {
	trial *trial
	story story
	err   error
}

var notInFileNames = regexp.MustCompile(`[^a-z0-9]+`)

// file is the name of the trial's files in the report, without what they end with.
func (o *outcome) file() string {
	return fmt.Sprintf("%02d-%s", o.trial.number, notInFileNames.ReplaceAllString(strings.ToLower(o.trial.describe()), "-"))
}

// describe is the fault and the load.
func (f fault) describe() string {
	if f.busy {
		return f.name + ", " + answer.Busy
	}
	return f.name
}

// judge makes a row of what came of a trial, beside how the program is when nothing
// happens.
func (o *outcome) judge(quiet answer.Wire) answer.Fault {
	t, s := o.trial, o.story
	f := answer.Fault{Name: t.name, Load: answer.Idle, Capture: Captures + "/" + o.file() + ".pcapng"}
	if t.busy {
		f.Load = answer.Busy
	}
	if o.err != nil {
		f.Trouble, f.Capture, f.Verdict = oneLine(o.err), "", answer.Unmeasured
		return f
	}
	since := firstOf(t.heard, t.began) // it may have been over before anything struck
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
	case f.Noticed != nil && f.Kernel == nil && quiet.Ended != nil && !t.sooner(s, quiet):
		f.Verdict = answer.ByItself
	case f.Noticed != nil || f.Exit != nil:
		f.Verdict = answer.Noticing
	case f.Kernel != nil:
		f.Verdict = answer.KernelOnly
	case t.dead, t.before != nil && !t.flowKnown:
		f.Verdict = answer.Never
		if watched := t.over.Sub(t.struck); watched < longestWatch {
			f.Within = answer.Of(watched)
		}
	default:
		f.Verdict = answer.Alive
	}
	return f
}

// sooner says whether the program ended the connection clearly before it does when
// nothing happens.
func (t *trial) sooner(s story, quiet answer.Wire) bool {
	noticed, _ := s.program()
	return noticed.at.Sub(t.began) < quiet.Ended.After.Duration()-time.Second
}

// firstOf is the first of times that there was.
func firstOf(times ...time.Time) time.Time { return cmp.Or(times...) }

func oneLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// wire is what was seen of the trial in which nothing happened.
func (o *outcome) wire() answer.Wire {
	t := o.trial
	w := look(o.story.packets, firstOf(t.over, time.Now()))
	if ended, ok := o.story.program(); ok {
		w.Ended = ended.event(t.began)
		if n := len(o.story.packets); n > 0 { // what was silent after the end says nothing
			ended := look(o.story.packets, o.story.packets[n-1].At)
			w.Silence, w.NoData = ended.Silence, ended.NoData
		}
	}
	return w
}

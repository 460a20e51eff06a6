package audit

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// outcome is a trial that has ended.
type outcome struct {
	trial *trial
	story story
	err   error // why it could not be measured
}

var notInFileNames = regexp.MustCompile(`[^a-z0-9]+`)

// fileName returns the name of the trial's files in the report, without the suffix.
func (o *outcome) fileName() string {
	return fmt.Sprintf("%02d-%s", o.trial.number, notInFileNames.ReplaceAllString(strings.ToLower(o.trial.title()), "-"))
}

// judge turns the outcome into a row of the answer, compared with the quiet connection.
func (o *outcome) judge(quiet answer.Wire) answer.Fault {
	t, s := o.trial, o.story
	f := answer.Fault{Name: t.name, Load: answer.Idle, Capture: path.Join(captures, o.fileName()+".pcapng")}
	if t.busy {
		f.Load = answer.Busy
	}
	if o.err != nil {
		f.Trouble, f.Capture, f.Verdict = firstLine(o.err), "", answer.Unmeasured
		return f
	}
	if t.early != "" {
		f.Trouble, f.Verdict = t.early, answer.Unmeasured
		return f
	}
	since := t.heard
	if learned, ok := s.kernel(); ok {
		f.Kernel = learned.event(since)
	}
	if noticed, ok := s.program(); ok {
		f.Noticed = noticed.event(since)
	}
	if s.exit != nil {
		f.Exit = moment{s.exit.How, s.exit.At}.event(since)
	}
	closed := f.Noticed != nil && f.Kernel == nil
	switch {
	case closed && quiet.Ended != nil && (!t.endedSooner(s, quiet) || t.keptUntil(f.Noticed)):
		f.Verdict = answer.ByItself
	case closed && t.keptUntil(f.Noticed):
		f.Verdict, f.Trouble = answer.Unmeasured, fmt.Sprintf("the program %s before the flow was forgotten, %v after the peer was last heard%s", past[f.Noticed.What], f.Noticed.After, t.said()+wrote(t.program))
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

// endedSooner reports whether the program ended the connection clearly earlier than a quiet
// one.
func (t *trial) endedSooner(s story, quiet answer.Wire) bool {
	noticed, _ := s.program()
	always := quiet.Ended.After.Duration()
	return noticed.at.Sub(t.began) < always-max(time.Second, oracle.Tolerance(always))
}

// keptUntil reports whether the trial is about a firewall that forgets, and which had not
// forgotten the flow yet at an event: the fault had not happened.
func (t *trial) keptUntil(e *answer.Event) bool { return e.After.Duration() < t.idle }

// firstLine returns the first line of an error.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// wire returns what was seen of the quiet connection.
func (o *outcome) wire() answer.Wire {
	t := o.trial
	over := t.over
	if over.IsZero() {
		over = time.Now()
	}
	w := summarize(o.story.packets, over)
	s := o.story
	ended, ok := s.program()
	if learned, known := s.kernel(); known {
		w.EndedByPeer, ok = learned.event(t.began), false
	}
	if ok {
		w.Ended = ended.event(t.began)
	}
	if w.Ended != nil || w.EndedByPeer != nil {
		if n := len(o.story.packets); n > 0 { // the silence after the end says nothing
			untilEnd := summarize(o.story.packets, o.story.packets[n-1].At)
			w.Silence, w.NoData, w.Alone, w.AloneNoData, w.PeerAlone = untilEnd.Silence, untilEnd.NoData, untilEnd.Alone, untilEnd.AloneNoData, untilEnd.PeerAlone
		}
	}
	return w
}

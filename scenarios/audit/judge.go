package audit

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/box"
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

// judge turns the outcome into a row of the answer, compared with the quiet connections. It is
// that of the connection with the worst outcome.
func (o *outcome) judge(quiet []answer.Connection) answer.Fault {
	t := o.trial
	f := answer.Fault{Name: t.name, Load: answer.Idle, Capture: path.Join(captures, o.fileName()+".pcapng")}
	if t.busy {
		f.Load = answer.Busy
	}
	if o.err != nil {
		f.Trouble, f.Capture, f.Verdict = firstLine(o.err), "", answer.Unmeasured
		return f
	}
	if t.plan.Protocol == SCTP {
		return o.judgeAssociation(f)
	}
	if t.early != "" {
		f.Trouble, f.LastWords, f.Verdict = t.early, t.lastWords, answer.Unmeasured
		return f
	}
	var all []answer.ConnectionOutcome
	for _, s := range t.told {
		all = append(all, t.judge(s, quiet))
	}
	leaveOutEnd(all, t.told, t.exited)
	slices.SortStableFunc(all, func(a, b answer.ConnectionOutcome) int { return cmp.Compare(a.Connection, b.Connection) })
	worst := slices.MaxFunc(all, answer.ConnectionOutcome.Compare)
	f.Kernel, f.Noticed, f.Verdict, f.Within = worst.Kernel, worst.Noticed, worst.Verdict, worst.Within
	f.Spins, f.Trouble = worst.Spins, worst.Trouble
	if t.exited != nil {
		since := t.told[0].connection.heard
		for _, s := range t.told {
			if worst.Noticed != nil && s.connection.number == worst.Connection {
				since = s.connection.heard
			}
		}
		f.Exit = moment{t.exited.How, t.exited.At}.event(since)
	}
	if len(all) > 1 {
		f.Connections = all
	}
	f.Recovery = t.recovered
	t.addAftermath(&f)
	return f
}

// leaveOutEnd takes back that connections were noticed which only ended with their program, where
// another one made it end.
func leaveOutEnd(all []answer.ConnectionOutcome, told []story, exit *box.Exit) {
	withProgram := func(s story) bool {
		_, known := s.kernel()
		noticed, ok := s.program()
		return exit != nil && !known && ok && noticed.at.After(exit.At.Add(-endTime))
	}
	if !slices.ContainsFunc(told, func(s story) bool { return !withProgram(s) }) {
		return
	}
	for i, s := range told {
		if withProgram(s) {
			all[i].Noticed, all[i].Verdict, all[i].Trouble = nil, answer.Noticing, ""
		}
	}
}

// endTime is how long a program takes to end, after its kernel has closed its sockets.
const endTime = 10 * time.Millisecond

// judge returns the outcome of one connection.
func (t *trial) judge(s story, quiet []answer.Connection) answer.ConnectionOutcome {
	f := answer.ConnectionOutcome{Connection: s.connection.number}
	since := s.connection.heard
	if learned, ok := s.kernel(); ok {
		f.Kernel = learned.event(since)
	}
	if noticed, ok := s.program(); ok {
		f.Noticed = noticed.event(since)
	}
	closed := f.Noticed != nil && f.Kernel == nil
	always := s.asAlways(quiet)
	switch {
	case closed && always != nil && (!s.endedSooner(always) || t.keptUntil(f.Noticed)):
		f.Verdict = answer.ByItself
	case closed && t.keptUntil(f.Noticed):
		f.Verdict, f.Trouble = answer.Unmeasured, fmt.Sprintf("the program %s before the flow was forgotten, %v after the peer was last heard; %s", past[f.Noticed.What], f.Noticed.After, t.saidLast())
	case f.Noticed != nil || s.exit != nil:
		f.Verdict = answer.Noticing
	case f.Kernel != nil:
		f.Verdict, f.Spins = answer.KernelOnly, t.spins
	case t.dead, t.before != nil && s.connection.forgotten && !t.picksUp:
		f.Verdict = answer.Never
		if watched := t.over.Sub(t.struck); watched < longestWatch {
			f.Within = answer.Of(watched)
		}
	case t.over.Sub(t.struck) < t.idle:
		f.Verdict, f.Trouble = answer.Unmeasured, fmt.Sprintf("it was watched for %v, and the firewall forgets after %v (--watch)", answer.Of(t.over.Sub(t.struck)), answer.Seconds(t.idle))
	default:
		f.Verdict = answer.Alive
	}
	return f
}

// asAlways returns how the quiet connection with the same number was ended by the program; nil: it
// was not.
func (s story) asAlways(quiet []answer.Connection) *answer.Event {
	for _, c := range quiet {
		if c.Number == s.connection.number && !c.ByPeer {
			return c.Ended
		}
	}
	return nil
}

// endedSooner reports whether the program ended the connection clearly earlier than a quiet
// one.
func (s story) endedSooner(quiet *answer.Event) bool {
	noticed, _ := s.program()
	always := quiet.After.Duration()
	return noticed.at.Sub(s.connection.opened()) < always-max(time.Second, oracle.Tolerance(always))
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

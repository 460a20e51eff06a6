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
	var all []answer.ConnectionOutcome
	for _, s := range t.told {
		all = append(all, t.judge(s, quiet))
	}
	leaveOutEnd(all, t.told, t.exited)
	slices.SortStableFunc(all, func(a, b answer.ConnectionOutcome) int { return cmp.Compare(a.Connection, b.Connection) })
	worst := slices.MaxFunc(all, answer.ConnectionOutcome.Compare)
	f.Kernel, f.Noticed, f.Verdict, f.Within = worst.Kernel, worst.Noticed, worst.Verdict, worst.Within
	f.Spins = worst.Spins
	if t.exited != nil {
		f.Exit = moment{t.exited.How, t.exited.At}.event(t.told[0].connection.heard)
	}
	if len(all) > 1 {
		f.Connections = all
	}
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
			all[i].Noticed = nil
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
	switch {
	case f.Noticed != nil && f.Kernel == nil && s.endsAsAlways(quiet):
		f.Verdict = answer.ByItself
	case f.Noticed != nil || s.exit != nil:
		f.Verdict = answer.Noticing
	case f.Kernel != nil:
		f.Verdict, f.Spins = answer.KernelOnly, t.spins
	case t.dead, t.before != nil && s.connection.forgotten:
		f.Verdict = answer.Never
		if watched := t.over.Sub(t.struck); watched < longestWatch {
			f.Within = answer.Of(watched)
		}
	default:
		f.Verdict = answer.Alive
	}
	return f
}

// endsAsAlways reports whether the program ended the connection no earlier than a quiet one.
func (s story) endsAsAlways(quiet []answer.Connection) bool {
	at := slices.IndexFunc(quiet, func(c answer.Connection) bool { return c.Number == s.connection.number })
	noticed, ended := s.program()
	return ended && at >= 0 && quiet[at].Ended != nil && noticed.at.Sub(s.connection.opened()) >= quiet[at].Ended.After.Duration()-time.Second
}

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
	if ended, ok := o.story.program(); ok {
		w.Ended = ended.event(t.began)
		if n := len(o.story.packets); n > 0 { // the silence after the end says nothing
			untilEnd := summarize(o.story.packets, o.story.packets[n-1].At)
			w.Silence, w.NoData = untilEnd.Silence, untilEnd.NoData
		}
	}
	return w
}

package audit

import (
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// What the kernel learns of an association, beside learnsTimeout.
const (
	learnsAbort    = "ABORT"
	learnsShutdown = "SHUTDOWN"
)

// judgeAssociation turns the outcome into a row of the answer. Times count from when the peer was
// last heard before the fault, or from the fault where the peer's kernel announces it.
func (o *outcome) judgeAssociation(f answer.Fault) answer.Fault {
	t, a := o.trial, &o.trial.association
	if t.early != "" {
		f.Trouble, f.Verdict = t.early, answer.Unmeasured
		return f
	}
	since := t.struck
	if !t.announced {
		for _, p := range t.near.Capture().Packets() {
			if !p.Out && p.Chunks != nil && p.At.Before(t.struck) {
				since = p.At
			}
		}
	}
	failed := t.failedCalls()
	if learned, ok := t.associationEnds(failed); ok {
		f.Kernel = learned.event(since)
	}
	switch {
	case len(failed) > 0:
		f.Noticed = failed[0].event(since)
	case !a.closed.IsZero():
		f.Noticed = moment{closes, a.closed}.event(since)
	}
	if t.exited != nil {
		f.Exit = moment{t.exited.How, t.exited.At}.event(since)
	}
	switch {
	case f.Noticed != nil || f.Exit != nil:
		f.Verdict = answer.Noticing
	case f.Kernel != nil:
		f.Verdict = answer.KernelOnly
	case t.dead, t.idle > 0 && a.forgotten:
		f.Verdict, f.Within = answer.Never, answer.Of(t.over.Sub(t.struck))
	default:
		f.Verdict = answer.Alive
	}
	f.Recovery = t.associationRecovery()
	return f
}

// associationEnds returns when the program's kernel first learned that the association is over;
// ok is false while it has not, or the program ended it.
func (t *trial) associationEnds(failed []moment) (first moment, ok bool) {
	take := func(what string, at time.Time) {
		if !ok || at.Before(first.at) {
			first, ok = moment{what, at}, true
		}
	}
	for chunk, what := range map[capture.ChunkType]string{capture.ABORT: learnsAbort, capture.SHUTDOWN: learnsShutdown} {
		if at, came := t.firstChunk(chunk, false); came {
			take(what, at)
		}
	}
	if len(failed) > 0 && failed[0].what == learnsTimeout { // to the microsecond
		take(learnsTimeout, failed[0].at)
	} else if _, byProgram := t.firstChunk(capture.SHUTDOWN, true); !t.association.gone.IsZero() && !byProgram && !ok {
		take(learnsTimeout, t.association.gone)
	}
	return first, ok
}

// concludeSCTP makes the answer of the outcomes, of which the first is the quiet association's.
func concludeSCTP(a *answer.Answer, outcomes []*outcome) {
	for _, o := range outcomes {
		if o.trial.role == row {
			a.Faults = append(a.Faults, o.judge(nil))
		}
	}
	quiet := outcomes[0].trial
	if quiet.association.entry.OneToMany {
		a.Unknown = append(a.Unknown, "what the program learns: its socket is of the one-to-many style, which tells by notifications (RFC 6458 §6), and no call fails")
	}
	if found := quiet.association.found; found.err != nil {
		a.Unknown = append(a.Unknown, "the settings of its socket: "+found.err.Error())
	} else {
		a.Association = found.answer()
	}
	for _, p := range quiet.near.Capture().Packets() {
		if p.Out && capture.SCTP(capture.HEARTBEAT).Matches(p) && a.Association != nil {
			a.Association.Heartbeats++
		}
	}
	if p := quiet.plan; !p.asks() && !p.betweenPrograms() {
		a.Unknown = append(a.Unknown, "what it does with data under way: it was sent nothing to answer (--send)")
	}
	a.Unknown = append(a.Unknown, "what becomes of an idle association behind the middleboxes of the presets, whose documented timeouts are TCP's")
}

// answer returns the settings, and what follows from them; nil: they are unknown.
func (f inForce) answer() *answer.Association {
	if f.Detection == nil {
		return nil
	}
	d := *f.Detection
	a := &answer.Association{
		Heartbeat: answer.Seconds(d.Heartbeat), PathRetransmissions: d.PathRetransmissions, AssociationRetransmissions: d.AssociationRetransmissions,
		RTOInitial: answer.Seconds(d.RTOInitial), RTOMin: answer.Seconds(d.RTOMin), RTOMax: answer.Seconds(d.RTOMax), RTO: answer.Seconds(f.rto),
	}
	if d.Heartbeat > 0 {
		planned := oracle.SCTP{Heartbeat: d.Heartbeat, PathRetransmissions: d.PathRetransmissions, AssociationRetransmissions: d.AssociationRetransmissions,
			RTOInitial: d.RTOInitial, RTOMin: d.RTOMin, RTOMax: d.RTOMax}.AssociationFailure(f.rto)
		a.Earliest, a.Latest = answer.Of(planned.Earliest), answer.Of(planned.Latest)
	}
	return a
}

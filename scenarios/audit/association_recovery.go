package audit

import (
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// renewal is an association that was begun after the fault, as the packets of the client's host
// show it.
type renewal struct {
	answer.Attempt
	port        uint16    // the client's
	established time.Time // zero: it never was
}

// renewals returns the associations that the client has begun since the fault, in order. An attempt
// that nobody answers is not told from one that the program gives up before its kernel does.
func (t *trial) renewals() (all []*renewal) {
	under := map[uint16]*renewal{} // way, by the client's port
	for _, p := range t.lab.Client.Capture().Packets() {
		if p.Chunks == nil || p.At.Before(t.struck) || p.At.After(t.watchedUntil()) {
			continue
		}
		port := p.Dst.Port()
		if p.Out {
			port = p.Src.Port()
		}
		r := under[port]
		has := func(c capture.ChunkType) bool { return capture.SCTP(c).Matches(p) }
		switch {
		case p.Out && has(capture.INIT) && r == nil:
			r = &renewal{port: port, Attempt: answer.Attempt{After: answer.Of(p.At.Sub(t.struck)), Outcome: answer.Unanswered}}
			under[port], all = r, append(all, r)
			fallthrough
		case p.Out && has(capture.INIT):
			r.SYNs++
			r.Lasted = answer.Of(t.watchedUntil().Sub(t.struck)) - r.After
		case r == nil || p.Out:
		case has(capture.ABORT):
			r.Outcome, r.Lasted = answer.Refused, answer.Of(p.At.Sub(t.struck))-r.After
			delete(under, port)
		case has(capture.COOKIEACK):
			r.Outcome, r.Lasted, r.established = answer.Accepted, answer.Of(p.At.Sub(t.struck))-r.After, p.At
			delete(under, port)
		}
	}
	return all
}

// watchedUntil returns when the watch ended, or now.
func (t *trial) watchedUntil() time.Time {
	if t.over.IsZero() {
		return time.Now()
	}
	return t.over
}

// dataBack returns when, after an instant, an association with a port of the client first carried
// data towards the client: what the server answers.
func (t *trial) dataBack(port uint16, after time.Time) (at time.Time, ok bool) {
	for _, p := range t.lab.Client.Capture().Packets() {
		if !p.Out && p.At.After(after) && p.Dst.Port() == port && capture.SCTP(capture.DATA).Matches(p) {
			return p.At, true
		}
	}
	return time.Time{}, false
}

// clientPort returns the client's port of the association that the trial is about.
func (t *trial) clientPort() uint16 {
	e := t.association.entry
	if t.plan.UnderTest == answer.Client {
		return e.Local[0].Port()
	}
	return e.Remote[0].Port()
}

// worksOverSCTP returns the association on which the program works again, and since when: data has
// come back to the client, or, where none had before the fault, it is established. old reports that
// it is the one that met the fault, and then there is no renewal.
func (t *trial) worksOverSCTP() (on *renewal, since time.Time, old bool) {
	before, exchanged := t.dataBack(t.clientPort(), time.Time{})
	exchanged = exchanged && before.Before(t.struck)
	for _, r := range t.renewals() {
		if r.established.IsZero() || on != nil {
			continue
		}
		if at, back := t.dataBack(r.port, r.established.Add(-clockTolerance)); back {
			on, since = r, at
		} else if !exchanged {
			on, since = r, r.established
		}
	}
	if t.association.gone.IsZero() && !t.dead {
		if at, back := t.dataBack(t.clientPort(), t.ended); back {
			return nil, at, true
		}
	}
	return on, since, false
}

// recoveryKnown reports whether nothing more is to be learned after a fault that has ended: the
// program works again, and the settings of its new association have been read; or it has had its
// time.
func (t *trial) recoveryKnown(noticed bool) bool {
	on, _, old := t.worksOverSCTP()
	switch {
	case old:
		return true
	case on != nil && noticed:
		return t.readRenewed(on)
	}
	return noticed && time.Since(t.ended) > recoveryTime && time.Since(t.whenNoticed()) > recoveryTime
}

// readRenewed reads the settings of a new association, a while after it was established, and reports
// whether that is done.
func (t *trial) readRenewed(on *renewal) bool {
	if t.association.renewed != nil {
		return true
	}
	if time.Since(on.established) < settingsTime {
		return false
	}
	for _, e := range t.near.Associations() {
		client := e.Remote[0].Port()
		if t.plan.UnderTest == answer.Client {
			client = e.Local[0].Port()
		}
		if client == on.port && e.Inode != 0 {
			read := t.settingsOf(e)
			t.association.renewed = &read
			return true
		}
	}
	t.association.renewed = &inForce{} // it is over again
	return true
}

// whenNoticed returns when the program noticed that the association is over; the zero time: it has
// not.
func (t *trial) whenNoticed() time.Time {
	failed, closed := t.failedCalls(), t.association.closed
	if len(failed) > 0 && (closed.IsZero() || failed[0].at.Before(closed)) {
		return failed[0].at
	}
	return closed
}

// associationRecovery returns what became of the program after a fault that has ended; nil: it does
// not end.
func (t *trial) associationRecovery() *answer.Recovery {
	if t.ended.IsZero() || t.early != "" {
		return nil
	}
	after := func(at time.Time) *answer.Seconds { s := answer.Of(at.Sub(t.struck)); return &s }
	r := &answer.Recovery{FaultEnded: *after(t.ended)}
	noticed := t.whenNoticed()
	if !noticed.IsZero() {
		r.GaveUp = after(noticed)
	}
	if t.plan.UnderTest == answer.Client {
		all := t.renewals()
		r.AllAttempts = len(all)
		for _, a := range all[:min(len(all), answer.MaxAttempts)] {
			r.Attempts = append(r.Attempts, a.Attempt)
		}
		if r.GaveUp != nil && len(all) > 0 {
			r.GaveUp = new(min(*r.GaveUp, all[0].After))
		}
	}
	on, since, old := t.worksOverSCTP()
	if old || on != nil {
		r.Works = after(since)
	}
	if on != nil {
		r.Connected = after(on.established)
		if renewed := t.association.renewed; renewed != nil && renewed.Detection != nil {
			r.Association = renewed.answer()
			was := t.association.found.answer()
			r.Differ = was != nil && !slices.Equal(was.Lines(), r.Association.Lines())
		}
	}
	switch {
	case on != nil && t.plan.UnderTest == answer.Server:
		r.Outcome = answer.Served
	case on != nil:
		r.Outcome = answer.Reconnects
	case old, !t.dead && noticed.IsZero():
		r.Outcome = answer.Continues
	case t.exited != nil:
		r.Outcome = answer.Exits
	case t.plan.UnderTest == answer.Server:
		r.Outcome = answer.Refuses
	case !noticed.IsZero():
		r.Outcome = answer.GivesUp
	default:
		r.Outcome = answer.Unaware
	}
	if _, recovered := r.Recovered(); !recovered && r.Outcome != answer.Exits {
		r.Within = *after(t.over)
	}
	return r
}

package audit

import (
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// awaitsPeer reports whether the peer may notice the fault as well, and is watched for that: a
// program behind a firewall that forgets.
func (t *trial) awaitsPeer() bool { return t.peer != nil && t.idle > 0 }

// peerStory returns the story so far of the peer's socket of a connection.
func (t *trial) peerStory(c *connection) story {
	s := story{connection: c, exit: t.peerExited, gone: t.peerDestroyed.Since(c.remote, c.local, c.began)}
	closed := false
	for _, change := range t.trace.Changes(0) {
		if change.Local == c.remote && change.Remote == c.local && !change.At.Before(c.began) {
			s.changes = append(s.changes, change)
			closed = closed || change.To == sock.Closed
		}
	}
	s.failures = t.trace.Failures(t.mark(t.plan.UnderTest.Other()))
	if closed {
		s.packets = t.packetsAtPeer(c)
	}
	return s
}

// packetsAtPeer returns the packets of a connection, as the peer's host has seen them.
func (t *trial) packetsAtPeer(c *connection) (all []capture.Packet) {
	for _, p := range t.far.Capture().Packets() {
		here, there := p.Dst.Port(), p.Src.Port()
		if p.Out {
			here, there = there, here
		}
		if p.TCP && here == c.remote && there == c.local && p.At.After(c.after) {
			all = append(all, p)
		}
	}
	return all
}

// noteAftermath notes whose data is under way at the end of the trial, and what the peer has
// learned of the fault.
func (t *trial) noteAftermath() {
	c := t.chosen
	if c == nil || t.early != "" || t.role == quiet {
		return
	}
	t.underWay = map[string]time.Time{}
	if t.idle > 0 { // the peer may have been heard for long before the flow was forgotten
		for _, met := range t.met {
			until, s := t.over, t.storyOf(met)
			if learned, ok := s.kernel(); ok {
				until = learned.at
			}
			if noticed, ok := s.program(); ok {
				until = earlier(until, noticed.at)
			}
			met.heard = t.lastHeard(met, until)
		}
	}
	for by, packets := range map[string][]capture.Packet{answer.ByProgram: t.packetsOf(c), answer.ByPeer: t.packetsAtPeer(c)} {
		if by == answer.ByPeer && !t.awaitsPeer() {
			continue
		}
		if sent, ok := unacknowledged(packets); ok {
			t.underWay[by] = sent
		}
	}
	if t.awaitsPeer() {
		s := t.peerStory(c)
		t.peerTold = &s
	}
	for _, r := range t.beside {
		r.hasEnded() // now, while its events can be read
	}
}

// besideEnds returns the programs beside, on the host of the program under test, that have ended
// after the fault; durations count from an instant. A fault never ends them itself: it is the
// peer's host that loses its power.
func (t *trial) besideEnds(since time.Time) (all []answer.BesideEnd) {
	for _, r := range t.beside {
		if r.On == t.plan.UnderTest && r.ended != nil && r.ended.At.After(t.struck) {
			all = append(all, answer.BesideEnd{Name: r.Name, How: r.ended.How, After: answer.Of(r.ended.At.Sub(since))})
		}
	}
	return all
}

// unacknowledged returns when a side first sent the data that the other has not acknowledged,
// of the packets that the side's host has seen; ok is false where there is none.
func unacknowledged(packets []capture.Packet) (sent time.Time, ok bool) {
	acknowledged := uint32(0)
	for _, p := range packets {
		if !p.Out && p.ACK && !p.RST {
			acknowledged = p.Ack
		}
	}
	for _, p := range packets {
		if p.Out && p.Length > 0 && p.Role == capture.Ordinary && int32(p.Seq+uint32(p.Length)-acknowledged) > 0 {
			return p.At, true
		}
	}
	return time.Time{}, false
}

// addAftermath adds to a row what noteAftermath has noted, and what is derived for later.
func (t *trial) addAftermath(f *answer.Fault) {
	if f.Verdict == answer.Unmeasured || f.Verdict == answer.Alive || f.Verdict == answer.ByItself {
		return
	}
	if t.chosen == nil {
		return
	}
	heard := t.chosen.heard
	for _, by := range []string{answer.ByProgram, answer.ByPeer} {
		if sent, ok := t.underWay[by]; ok && !t.announced {
			f.UnderWay = append(f.UnderWay, answer.Data{By: by, After: max(0, answer.Of(sent.Sub(heard)))})
		}
	}
	f.Beside = t.besideEnds(heard)
	if t.peerTold != nil {
		end := &answer.PeerEnd{}
		if learned, ok := t.peerTold.kernel(); ok {
			end.Kernel = learned.event(heard)
		}
		if noticed, ok := t.peerTold.program(); ok {
			end.Noticed = noticed.event(heard)
		}
		if exit := t.peerTold.exit; exit != nil {
			end.Exit = moment{exit.How, exit.At}.event(heard)
		}
		if *end != (answer.PeerEnd{}) {
			f.Peer = end
		}
	}
	if f.Verdict == answer.Never && f.Within > 0 && len(f.UnderWay) == 0 && len(t.met) == 1 {
		f.Later = t.later(t.chosen.settings)
	}
}

// later derives what a kernel with these settings learns of the fault by its keepalive, and when
// (harness/oracle): for a trial that was not watched for so long. It is nil for one that learns
// nothing, or where the settings are unknown.
func (t *trial) later(s *settings) *answer.Later {
	if s == nil || s.err != nil || !s.Keepalive {
		return nil
	}
	var what string
	var when oracle.Window
	switch {
	case t.silent: // no probe is answered
		what, when = learnsTimeout, oracle.Keepalive{
			Idle: s.Idle.Duration(), Interval: s.Interval.Duration(), Count: s.Count, UserTimeout: s.UserTimeout.Duration(),
		}.Death()
	case t.resets: // the first one is
		what, when = learnsRST, oracle.Around(s.Idle.Duration())
	default:
		return nil
	}
	return &answer.Later{What: what, Earliest: answer.Of(when.Earliest), Latest: answer.Of(when.Latest)}
}

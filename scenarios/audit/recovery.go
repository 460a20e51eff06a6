package audit

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

const (
	// recoveryTime is how long a program is given to work again, once its connections are over
	// and the fault has ended.
	recoveryTime = 30 * time.Minute
	// idleTime is how long a new connection carries no data until it counts as one that works: the
	// program says nothing on it.
	idleTime = time.Minute
	// settingsTime is how long a program is given to set the options of a new connection.
	settingsTime = time.Second
)

// comesBack returns when, after an instant, a connection first carried data that shows that the
// program works: to a client what its server sends, and of a server what its client receives. ok
// is false if none came.
func (t *trial) comesBack(c *connection, after time.Time) (at time.Time, ok bool) {
	packets := t.packetsOf(c)
	if t.plan.UnderTest == answer.Server {
		packets = c.atPeer().carried(t.far.Capture())
	}
	for _, p := range packets {
		if !p.Out && p.Length > 0 && p.At.After(after) {
			return p.At, true
		}
	}
	return time.Time{}, false
}

// atPeer returns the connection as the peer's host has it.
func (c *connection) atPeer() *connection {
	peers := *c
	peers.local, peers.remote = c.remote, c.local
	return &peers
}

// exchanged reports whether such data came before the fault.
func (t *trial) exchanged() bool {
	return slices.ContainsFunc(t.met, func(c *connection) bool {
		at, ok := t.comesBack(c, time.Time{})
		return ok && t.fromFault(at) < 0
	})
}

// works returns the connection on which the program works again after the fault's end, and since
// when; nil: there is none.
func (t *trial) works() (of *connection, since time.Time) {
	exchanged := t.exchanged()
	for _, c := range t.connections() {
		fresh := !slices.Contains(t.met, c)
		switch at, back := t.comesBack(c, t.ended); {
		case c.number == 0:
		case back && (of == nil || at.Before(since)):
			of, since = c, at
		case back || !fresh || !c.open():
		case !exchanged && of == nil, of == nil && t.idleFor(c) >= idleTime:
			of, since = c, c.opened()
		}
	}
	return of, since
}

// idleFor returns for how long a connection has carried no data at all since it was opened.
func (t *trial) idleFor(c *connection) time.Duration {
	if slices.ContainsFunc(t.packetsOf(c), func(p capture.Packet) bool { return p.Length > 0 }) {
		return 0
	}
	return time.Since(c.opened())
}

// observeRecovery lets the time pass after a fault that has ended, until the outcome of the row is
// known, and the program works again, has ended, or has had its time.
func (t *trial) observeRecovery(watch time.Duration) {
	until := time.Now().Add(watch)
	const soon, late = time.Second, time.Minute
	for pause := soon; ; {
		traced, destroyed := t.trace.News(), t.destroyed.News()
		stories := t.stories()
		t.readNewSettings()
		working, _ := t.works()
		open := slices.ContainsFunc(stories, func(s story) bool { return !s.noticed() })
		switch limit := t.recoveryLimit(stories); {
		case t.exited != nil, t.spinsAfterEnd(stories):
			return
		case working != nil && slices.Contains(t.met, working) && !t.dead:
			return
		case working != nil && !open && (working.settings != nil || !working.open()):
			return
		case !open && time.Now().After(limit):
			return
		}
		select {
		case <-traced:
			pause = soon
		case <-destroyed:
		case e := <-t.exit:
			t.exited = &e
		case <-t.ctx.Done():
			return
		case <-time.After(min(pause, time.Until(until))):
			pause = min(2*pause, late)
		}
		if !time.Now().Before(until) {
			return
		}
	}
}

// recoveryLimit returns until when the program is given time to work again, once it has noticed
// that all its connections are over.
func (t *trial) recoveryLimit(stories []story) time.Time {
	last := t.ended
	for _, s := range stories {
		if noticed, ok := s.program(); ok && noticed.at.After(last) {
			last = noticed.at
		}
	}
	return last.Add(recoveryTime)
}

// readNewSettings reads the settings of the connections that were opened since the fault, a while
// after each was.
func (t *trial) readNewSettings() {
	for _, c := range t.connections() {
		if c.number > 0 && c.number <= answer.MaxConnections && c.settings == nil && c.open() && time.Since(c.opened()) >= settingsTime {
			c.settings = t.readSettings(c)
		}
	}
}

// forgottenAt returns when a firewall that forgets first forgot a connection that the fault is to
// meet; ok is false if none was silent for long enough. New connections pass from then on.
func (t *trial) forgottenAt() (first time.Time, ok bool) {
	for _, c := range t.met {
		packets := t.packetsOf(c)
		for i, p := range packets {
			until := time.Now()
			if i+1 < len(packets) {
				until = packets[i+1].At
			}
			if until.Sub(p.At) < t.idle {
				continue
			}
			if at := p.At.Add(t.idle); !ok || at.Before(first) {
				first, ok = at, true
			}
			break
		}
	}
	return first, ok
}

// fromFault returns how long after the fault an instant was. A firewall's fault is that it forgets.
func (t *trial) fromFault(at time.Time) answer.Seconds {
	if t.idle > 0 {
		return answer.Of(at.Sub(t.ended))
	}
	return answer.Of(at.Sub(t.struck))
}

// recovery returns what became of the program after a fault that has ended; nil: it does not end, or
// is a firewall that has forgotten, and the program has not noticed.
func (t *trial) recovery() *answer.Recovery {
	if t.ended.IsZero() || t.early != "" {
		return nil
	}
	after := func(at time.Time) *answer.Seconds { s := t.fromFault(at); return &s }
	r := &answer.Recovery{FaultEnded: *after(t.ended)}
	var last time.Time
	over := true
	for _, s := range t.told {
		noticed, ok := s.program()
		if over = over && ok; ok && noticed.at.After(last) {
			last = noticed.at
		}
	}
	if t.idle > 0 && !over {
		return nil
	}
	if over {
		r.GaveUp = after(last)
	}
	of, since := t.works()
	fresh := of != nil && !slices.Contains(t.met, of)
	if t.plan.UnderTest == answer.Client {
		t.addAttempts(r)
		// A client that connects anew has given up, also if it closes the old socket later.
		if r.GaveUp != nil && len(r.Attempts) > 0 {
			r.GaveUp = new(min(*r.GaveUp, r.Attempts[0].After))
		}
	}
	if of != nil {
		r.Works = after(since)
	}
	if fresh {
		r.Connected = after(of.opened())
		t.compareSettings(r, of)
	}
	switch {
	case fresh && t.plan.UnderTest == answer.Server:
		r.Outcome = answer.Served
	case fresh:
		r.Outcome = answer.Reconnects
	case of != nil, !t.dead && !over:
		r.Outcome = answer.Continues
	case t.exited != nil:
		r.Outcome = answer.Exits
	case t.plan.UnderTest == answer.Server:
		r.Outcome = answer.Refuses
	case over:
		r.Outcome = answer.GivesUp
	default:
		r.Outcome = answer.Unaware
	}
	if _, recovered := r.Recovered(); !recovered && r.Outcome != answer.Exits {
		r.Within = *after(t.over)
	}
	if t.plan.UnderTest == answer.Client && t.exchanged() {
		r.Unanswered, r.Repeated = t.lostMessages(of)
	}
	return r
}

// compareSettings adds the settings of the new connection, and whether they are those of the old
// one.
func (t *trial) compareSettings(r *answer.Recovery, fresh *connection) {
	was, is := t.chosen.settings, fresh.settings
	if is == nil || is.err != nil {
		return
	}
	r.Settings = is.Settings
	r.Differ = was != nil && was.err == nil && !slices.Equal(was.Lines(), is.Lines())
}

// addAttempts adds the attempts to connect that the program has made since the fault: each has a
// port and a sequence number of its own.
func (t *trial) addAttempts(r *answer.Recovery) {
	type attempt struct {
		port uint16
		seq  uint32
	}
	begun := map[attempt]*answer.Attempt{}
	var order []*answer.Attempt
	for _, p := range t.near.Capture().Packets() {
		if !p.TCP || !p.SYN || p.ACK || !p.Out || p.Dst.Port() != t.plan.Port || t.fromFault(p.At) <= 0 {
			continue
		}
		key := attempt{p.Src.Port(), p.Seq}
		if begun[key] == nil {
			a := t.attemptOf(p)
			begun[key], order = &a, append(order, &a)
		}
		begun[key].SYNs++
	}
	r.AllAttempts = len(order)
	for _, a := range order[:min(len(order), answer.MaxAttempts)] {
		r.Attempts = append(r.Attempts, *a)
	}
}

// attemptOf returns how an attempt to connect that began with a packet ended.
func (t *trial) attemptOf(syn capture.Packet) answer.Attempt {
	a := answer.Attempt{After: t.fromFault(syn.At), Outcome: answer.Unanswered, Lasted: answer.Of(t.over.Sub(syn.At))}
	all := t.connections()
	at := slices.IndexFunc(all, func(c *connection) bool {
		return c.local == syn.Src.Port() && c.changes[len(c.changes)-1].At.After(syn.At)
	})
	if at < 0 { // it is still under way
		return a
	}
	c := all[at]
	end := c.changes[len(c.changes)-1]
	switch {
	case c.number > 0:
		a.Outcome, end.At = answer.Accepted, c.opened()
	case slices.ContainsFunc(t.packetsOf(c), func(p capture.Packet) bool { return p.RST && !p.Out }):
		a.Outcome = answer.Refused
	case end.SoftIRQ && t.toldUnreachable(end.At):
		a.Outcome = answer.Unreachable
	case !end.SoftIRQ:
		a.Outcome = answer.Abandoned
	}
	a.Lasted = answer.Of(end.At.Sub(syn.At))
	return a
}

// toldUnreachable reports whether the program's host has been told by ICMP, at that time, that its
// packets do not arrive.
func (t *trial) toldUnreachable(at time.Time) bool {
	return slices.ContainsFunc(t.near.Capture().Packets(), func(p capture.Packet) bool {
		return p.ICMP != "" && !p.Out && p.At.Sub(at).Abs() <= clockTolerance
	})
}

// lostMessages returns how many messages of the program, of those under way at the fault or sent
// since, no data has answered, and how many of those that the peer has received the program has
// sent again on the connection on which it works now. A message that the program had sent before
// does not count as repeated: it may be a heartbeat.
func (t *trial) lostMessages(working *connection) (unanswered, repeated int) {
	for _, c := range t.met {
		if c == working {
			continue
		}
		packets := t.packetsOf(c)
		exchanged := exchangesOf(packets)
		for len(exchanged) > 0 && exchanged[len(exchanged)-1].unanswered() {
			last := exchanged[len(exchanged)-1]
			exchanged = exchanged[:len(exchanged)-1]
			unanswered++
			first := packets[slices.IndexFunc(packets, func(p capture.Packet) bool { return p.Length > 0 && p.At.Equal(last.at[0]) })]
			if working != nil && t.received(c, first) && sends(t.packetsOf(working), first) && !sends(earlierThan(packets, first), first) {
				repeated++
			}
		}
	}
	return unanswered, repeated
}

// unanswered reports whether the program began the exchange, and no data came back.
func (e exchange) unanswered() bool { return e.out && !e.answered }

// received reports whether a packet with data of the program has arrived at its peer.
func (t *trial) received(c *connection, sent capture.Packet) bool {
	return slices.ContainsFunc(c.atPeer().carried(t.far.Capture()), func(p capture.Packet) bool {
		return !p.Out && p.Length > 0 && p.Seq == sent.Seq
	})
}

// earlierThan returns the packets that came before another.
func earlierThan(packets []capture.Packet, p capture.Packet) []capture.Packet {
	at := slices.IndexFunc(packets, func(q capture.Packet) bool { return !q.At.Before(p.At) })
	return packets[:max(at, 0)]
}

// sends reports whether the program has sent the data of a packet in one of some packets.
func sends(packets []capture.Packet, data capture.Packet) bool {
	return slices.ContainsFunc(packets, func(p capture.Packet) bool {
		return p.Out && p.Length == data.Length && bytes.Equal(p.Payload(), data.Payload())
	})
}

// redialLimit is how long a fixture that is a client tries to connect again.
const redialLimit = time.Minute

// redial lets a fixture that is the client connect again, as a client does whose host has been
// rebooted, each second until the server accepts.
func (t *trial) redial() error {
	first, last := t.portsAfterReboot()
	until := time.Now().Add(redialLimit)
	for port := first; port <= last && time.Now().Before(until); port++ {
		ctx, cancel := context.WithDeadline(t.ctx, until)
		err := t.dialFrom(ctx, port)
		cancel()
		if err == nil {
			return nil
		}
		if err := t.wait(time.Second); err != nil {
			return err
		}
	}
	return nil // the answer says that the server serves nobody
}

// restartProcess starts the peer again that was killed.
func (t *trial) restartProcess() error {
	return t.step("the peer is started again", t.restartPeer)
}

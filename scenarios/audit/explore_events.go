package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// events returns what happened in a run, since its first packet: packets that pass the router
// and arrive, sockets that change their states, calls that fail, and the end of a program.
func (e *exploration) events() explore.Quiet {
	var q explore.Quiet
	add := func(at time.Time, format string, args ...any) {
		if !at.Before(e.first) {
			q.Events = append(q.Events, explore.Event{At: at.Sub(e.first), What: fmt.Sprintf(format, args...)})
		}
	}
	for _, h := range []*harness.Host{e.lab.Client, e.lab.Server} {
		other := e.lab.Client
		if h == other {
			other = e.lab.Server
		}
		for _, p := range h.Capture().Packets() {
			switch {
			case !e.isRun(p):
			case p.Out:
				add(p.At, "%s of the %s passes the firewall", p.Brief(), h.Name())
			default:
				add(p.At, "%s of the %s arrives at the %s", p.Brief(), other.Name(), h.Name())
			}
		}
	}
	for _, c := range e.connections() {
		for _, change := range c.changes {
			add(change.At, "the socket of the %s goes from %v to %v", e.near.Name(), change.From, change.To)
		}
	}
	for _, c := range e.changesAtPeer() {
		add(c.At, "the socket of the %s goes from %v to %v", e.far.Name(), c.From, c.To)
	}
	for side, host := range map[answer.Side]*harness.Host{answer.Server: e.lab.Server, answer.Client: e.lab.Client} {
		for _, f := range e.trace.Failures(e.mark(side)) {
			add(f.At, "a call of the %s returns %s", host.Name(), sock.ErrnoName(f.Errno))
		}
	}
	if e.exited != nil {
		add(e.exited.At, "the %s ends: %s", e.near.Name(), e.exited.How)
	}
	slices.SortStableFunc(q.Events, func(a, b explore.Event) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.What, b.What)) })
	if n := len(q.Events); n > 0 {
		q.Lasted = q.Events[n-1].At
	}
	return q
}

// changesAtPeer returns the state changes of the peer's sockets in this run. The trace has those of
// all runs: the clock of this one began with its first packet.
func (e *exploration) changesAtPeer() (all []trace.Change) {
	first, last := e.ports()
	for _, c := range e.trace.Changes(0) {
		server, client := c.Remote, c.Local
		if e.far == e.lab.Server {
			server, client = client, server
		}
		if server == e.plan.Port && first <= client && client <= last && !c.At.Before(e.first) {
			all = append(all, c)
		}
	}
	return all
}

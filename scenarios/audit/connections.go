package audit

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// connection is a TCP connection between the program and its peer, or an attempt to make one,
// as the kernel of the program's host has it.
type connection struct {
	number        int       // from 1, in the order in which they were established; zero: it never was
	local, remote uint16    // the ports
	began         time.Time // when the trace first showed it: a client that connects has no port there until it is connected, or has failed
	changes       []trace.Change
	after         time.Time   // its packets are later: those before are of another with the same ports
	next          *connection // the next one with the same ports; nil: none
	settings      *settings   // nil: they have not been read
	heard         time.Time   // when the peer was last heard before the fault
	forgotten     bool        // the firewall did not have the flow at the end
}

// connections are those of a trial so far.
type connections struct {
	all    []*connection
	latest map[[2]uint16]*connection // with each pair of ports
	opened int                       // how many have been established
	read   int                       // how many changes of the trace have been read
}

// owns reports whether a state change is that of a socket of the program under test. Its ports
// tell, since the clients of each trial have ports of their own.
func (t *trial) owns(c trace.Change) bool {
	server, client := c.Local, c.Remote
	if t.near == t.lab.Client {
		server, client = client, server
	}
	first, last := t.ports()
	if t.hinder != nil {
		first += portsOfQueue
	}
	return server == t.plan.Port && first <= client && client <= last
}

// connections returns all connections so far.
func (t *trial) connections() []*connection {
	found := &t.found
	changes := t.trace.Changes(found.read)
	found.read += len(changes)
	for _, change := range changes {
		if t.owns(change) {
			found.take(change)
		}
	}
	return found.all
}

// take takes a state change.
func (f *connections) take(change trace.Change) {
	c := f.latest[[2]uint16{change.Local, change.Remote}]
	if c == nil || c.begins(change) {
		c = f.add(change.Local, change.Remote, change.At)
	}
	c.changes = append(c.changes, change)
	if change.To == sock.Established && c.number == 0 {
		f.opened++
		c.number = f.opened
	}
}

// add adds a connection that has begun.
func (f *connections) add(local, remote uint16, at time.Time) *connection {
	ports := [2]uint16{local, remote}
	c := &connection{local: local, remote: remote, began: at}
	if earlier := f.latest[ports]; earlier != nil {
		earlier.next, c.after = c, earlier.changes[len(earlier.changes)-1].At
	}
	if f.latest == nil {
		f.latest = map[[2]uint16]*connection{}
	}
	f.latest[ports], f.all = c, append(f.all, c)
	return c
}

// begins reports whether a change is the first of another socket with the same ports. The trace
// has the ports of a client's from SYN_SENT on, or from when it leaves that (tcp_v4_connect chooses
// the port later), and those of a server's from SYN_RECEIVED on.
func (c *connection) begins(change trace.Change) bool {
	if len(c.changes) == 0 {
		return false
	}
	last := c.changes[len(c.changes)-1].To
	return change.To == sock.SynSent || (change.From == sock.SynSent || change.From == sock.SynReceived) && last != change.From
}

// opened returns when the connection was established; where it never was, when it was begun.
func (c *connection) opened() time.Time {
	for _, change := range c.changes {
		if change.To == sock.Established {
			return change.At
		}
	}
	return c.began
}

// open reports whether the connection is established, and neither side has closed it.
func (c *connection) open() bool {
	return len(c.changes) > 0 && c.changes[len(c.changes)-1].To == sock.Established
}

// main returns the connection that the trial is about: the oldest that is open, or the first.
// From the fault on it stays the same. It is nil while there is none.
func (t *trial) main() *connection {
	if t.chosen != nil {
		return t.chosen
	}
	all := t.connections()
	if at := slices.IndexFunc(all, (*connection).open); at >= 0 {
		return all[at]
	}
	if at := slices.IndexFunc(all, func(c *connection) bool { return c.number > 0 || c == t.dialled }); at >= 0 {
		return all[at]
	}
	return nil
}

// choose notes which connections the fault strikes: the one that the trial is about, and all
// others that are open. It reads the settings of each, unless that is over.
func (t *trial) choose() {
	t.chosen = t.main()
	t.met = []*connection{t.chosen}
	for _, c := range t.connections() {
		if c != t.chosen && c.open() {
			t.met = append(t.met, c)
		}
	}
	if t.early != "" {
		return
	}
	for _, c := range t.met {
		c.settings = t.readSettings(c)
	}
}

// stories returns the stories so far of the connections that the fault strikes, of which the first
// is the one that the trial is about. Before the fault it is the only one.
func (t *trial) stories() []story {
	t.connections() // up to now
	met := t.met
	if len(met) == 0 {
		met = []*connection{t.main()}
	}
	var all []story
	for _, c := range met {
		all = append(all, t.storyOf(c))
	}
	if t.program != nil {
		blame(all, t.trace.Failures(t.mark(t.plan.UnderTest)))
	}
	return all
}

// storyOf returns the story of a connection without the calls that failed.
func (t *trial) storyOf(c *connection) story {
	if c == nil {
		return story{exit: t.exited}
	}
	s := story{connection: c, changes: c.changes, exit: t.exited, gone: t.destroyed.Since(c.local, c.remote, c.began)}
	for _, change := range c.changes {
		if change.To == sock.Closed {
			s.packets, s.errors = t.packetsOf(c), t.icmpErrors()
			break
		}
	}
	return s
}

// story returns the story so far of the connection that the trial is about.
func (t *trial) story() story { return t.stories()[0] }

// blame adds to the stories the calls of the program that failed. The kernel does not tell which
// socket a call was for: with several connections it was for the one whose end the kernel
// learned of last before the call, in a way that makes calls fail so.
func blame(stories []story, failures []trace.Failure) {
	if c := stories[0].connection; c != nil && c.number > 0 { // only an attempt to connect is refused
		failures = slices.DeleteFunc(slices.Clone(failures), func(f trace.Failure) bool { return f.Errno == unix.ECONNREFUSED })
	}
	if len(stories) == 1 {
		stories[0].failures = failures
		return
	}
	for _, f := range failures {
		var of *story
		var latest time.Time
		for i := range stories {
			learned, ok := stories[i].kernel()
			if !ok || f.At.Before(learned.at.Add(-clockTolerance)) || !learned.explains(f.Errno) {
				continue
			}
			unexplained := len(stories[i].failures) == 0
			if of == nil || unexplained && (len(of.failures) > 0 || learned.at.After(latest)) {
				of, latest = &stories[i], learned.at
			}
		}
		if of != nil {
			of.failures = append(of.failures, f)
		}
	}
}

// packetsOf returns the packets of a connection, as the program's host has seen them.
func (t *trial) packetsOf(c *connection) []capture.Packet {
	return c.carried(t.near.Capture())
}

// carried returns the packets of the connection in the capture of a host.
func (c *connection) carried(by *capture.Capture) []capture.Packet {
	over := false
	return slices.DeleteFunc(by.Packets(), func(p capture.Packet) bool {
		if !c.carries(p) || over {
			return true
		}
		over = c.next != nil && p.SYN && !p.ACK && p.At.After(c.changes[len(c.changes)-1].At)
		return over
	})
}

// carries reports whether the connection carries a packet that the program's host has seen: it, or
// the next one with the same ports.
func (c *connection) carries(p capture.Packet) bool {
	here, there := p.Dst.Port(), p.Src.Port()
	if p.Out {
		here, there = there, here
	}
	return p.TCP && here == c.local && there == c.remote && p.At.After(c.after)
}

// listed returns the connections of the program so far, as the answer has them.
func (t *trial) listed() []answer.Connection {
	var all []answer.Connection
	var first time.Time
	for _, c := range t.found.all {
		if c.number == 0 || len(all) == answer.MaxConnections {
			continue
		}
		opened := c.opened()
		if len(all) == 0 {
			first = opened
		}
		entry := answer.Connection{Number: c.number, Opened: answer.Of(opened.Sub(first))}
		if c.settings != nil {
			entry.Settings = c.settings.Settings
		}
		s := t.storyOf(c)
		s.packets = t.packetsOf(c)
		if ended, ok := s.program(); ok {
			entry.Ended = ended.event(opened)
		}
		if learned, ok := s.kernel(); ok {
			entry.Ended, entry.ByPeer = learned.event(opened), true
		}
		all = append(all, entry)
	}
	return all
}

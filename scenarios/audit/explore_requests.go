package audit

import (
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// request is something that the program under test, a client, has asked the fixture.
type request struct {
	Text    string    // what it sent
	Port    uint16    // the program's, of the connection
	At      time.Time // when the fixture answered
	Arrived time.Time // when the answer arrived at the program's host; zero: it did not
	// Late reports that the program had given the connection up by then: the network has
	// delivered the request late.
	Late bool
}

// requests returns what the program has asked, in the order in which it was answered.
func (e *exploration) requests() (all []request) {
	if e.asker != nil {
		return nil
	}
	heard := e.exchanges()
	if !slices.ContainsFunc(heard, func(s said) bool { return s.Kind == conversation.Replied }) {
		return nil
	}
	sent, received := e.far.Capture().Packets(), e.near.Capture().Packets()
	for _, s := range heard {
		if s.Kind != conversation.Replied {
			continue
		}
		r := request{Text: string(s.Came), Port: s.client, At: s.At, Late: !e.open(s.client, s.At)}
		out := slices.IndexFunc(sent, func(p capture.Packet) bool {
			return p.TCP && p.Out && p.Length > 0 && p.Dst.Port() == s.client && p.At.After(s.At)
		})
		if out >= 0 {
			in := slices.IndexFunc(received, func(p capture.Packet) bool {
				return p.TCP && !p.Out && p.Dst.Port() == s.client && p.Length > 0 && covers(p, sent[out].Seq)
			})
			if in >= 0 && e.open(s.client, received[in].At) {
				r.Arrived = received[in].At
			}
		}
		all = append(all, r)
	}
	return all
}

// covers reports whether a packet has the byte with a sequence number.
func covers(p capture.Packet, seq uint32) bool { return seq-p.Seq < uint32(p.Length) }

// open reports whether the program had a connection from a port at an instant: what arrives later
// does not reach it.
func (e *exploration) open(port uint16, at time.Time) bool {
	open := false
	for _, c := range e.connections() {
		for _, change := range c.changes {
			if c.local == port && !change.At.After(at) {
				open = change.To == sock.Established || change.To == sock.CloseWait
			}
		}
	}
	return open
}

package harness

import (
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// Sent returns the packets that the host has sent and that match. What a program has written
// before is among them: Sent waits for as long as the host's links keep it.
func (h *Host) Sent(match capture.Match) []capture.Packet {
	time.Sleep(h.lab.delay)
	return h.capture.Find(capture.All(capture.Outgoing, match))
}

// AwaitSent waits until the host has sent count packets that match, at the
// latest until an instant, and returns all that it has.
func (h *Host) AwaitSent(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.capture.Await(count, capture.All(capture.Outgoing, match), until)
}

// SentBy returns the packets that one connection of the host has sent and that match.
func (h *Host) SentBy(c *Conn, match capture.Match) []capture.Packet {
	return h.Sent(capture.All(capture.From(c.Local()), match))
}

// Received returns the packets that have arrived at the host and that match.
func (h *Host) Received(match capture.Match) []capture.Packet {
	return h.capture.Find(capture.All(capture.Incoming, match))
}

// AwaitReceived is AwaitSent for the packets that have arrived at the host.
func (h *Host) AwaitReceived(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.capture.Await(count, capture.All(capture.Incoming, match), until)
}

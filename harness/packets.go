package harness

import (
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// Sent returns the matching packets that the host has sent. It first waits for the delay of a cable
// in virtual time: data that a program has written may still be queued at the host's link.
func (h *Host) Sent(match capture.Match) []capture.Packet {
	time.Sleep(h.lab.delay)
	return h.capture.Find(capture.All(capture.Outgoing, match))
}

// AwaitSent waits until the host has sent count matching packets, at the latest until an instant,
// and returns all matching packets that it has sent so far.
func (h *Host) AwaitSent(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.capture.Await(count, capture.All(capture.Outgoing, match), until)
}

// SentBy returns the matching packets that one connection of the host has sent, as Sent does.
func (h *Host) SentBy(c *Conn, match capture.Match) []capture.Packet {
	return h.Sent(capture.All(capture.From(c.Local()), match))
}

// Received returns the matching packets that have arrived at the host.
func (h *Host) Received(match capture.Match) []capture.Packet {
	return h.capture.Find(capture.All(capture.Incoming, match))
}

// AwaitReceived waits until count matching packets have arrived at the host, at the latest until an
// instant, and returns all matching packets that have arrived so far.
func (h *Host) AwaitReceived(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.capture.Await(count, capture.All(capture.Incoming, match), until)
}

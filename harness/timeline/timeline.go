// Package timeline keeps everything that happened in one spec on one clock:
// steps the spec took, packets, socket states, conntrack events, and what the
// peers reported.
//
// It records and prints; it observes nothing by itself. Whoever sees something
// (harness/capture, harness/firewall, harness/peer, harness/sock through the lab)
// adds an Event with the instant at which it happened, not at which it was read; the
// kernel's conntrack events alone carry none.
package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind says what sort of thing happened.
type Kind string

// The kinds of events.
const (
	Step      Kind = "step"      // the spec did something: a fault, a socket option, a call
	Packet    Kind = "packet"    // a packet was seen on a link
	State     Kind = "state"     // a socket changed its state, or returned an error
	Conntrack Kind = "conntrack" // a conntrack entry was made, changed or destroyed
	Peer      Kind = "peer"      // a program reported something
)

// Event is one thing that happened.
type Event struct {
	At   time.Time // when it happened; the wall clock, with the monotonic reading where there is one
	Who  string    // the host or link it happened at, such as "client"
	Kind Kind
	What string // one line, present tense: "server > client RST seq 1 …"

	// Order is the place of the event among those of one instant: the lower comes first,
	// and of two with the same Order the one that was added first. That of a packet is
	// negative: a program reports a packet after it has passed, and sends one that passes
	// later.
	Order int
}

// Timeline collects events. The zero value is not usable; make one with New.
// It is safe for concurrent use.
type Timeline struct {
	start  time.Time
	mu     sync.Mutex
	events []Event
}

// New starts a timeline; its clock reads zero now.
func New() *Timeline { return &Timeline{start: time.Now()} }

// Start is the instant at which the timeline's clock reads zero.
func (t *Timeline) Start() time.Time { return t.start }

// Add records an event. A zero At means now.
func (t *Timeline) Add(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

// Addf records an event that happens now.
func (t *Timeline) Addf(who string, kind Kind, format string, args ...any) {
	t.Add(Event{Who: who, Kind: kind, What: fmt.Sprintf(format, args...)})
}

// Begin records an event that begins now, and returns a function that replaces its text: once
// the outcome is known, the event may turn out not to have happened.
func (t *Timeline) Begin(who string, kind Kind, what string) (amend func(what string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	number := len(t.events)
	t.events = append(t.events, Event{At: time.Now(), Who: who, Kind: kind, What: what})
	return func(what string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.events[number].What = what
	}
}

// Events returns a copy of all events in the order in which they happened, those of one
// instant by their Order.
func (t *Timeline) Events() []Event {
	t.mu.Lock()
	events := slices.Clone(t.events)
	t.mu.Unlock()
	// Packets carry the kernel's time stamps and are read later than they
	// happened, so the order of arrival is not the order of events.
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.At.Round(0).Compare(b.At.Round(0)), cmp.Compare(a.Order, b.Order))
	})
	return events
}

// Last returns the last n events as printed lines, oldest first.
func (t *Timeline) Last(n int) string {
	events := t.Events()
	return t.format(events[max(0, len(events)-n):])
}

// String is every event, a line each: seconds since the start, who, kind, what.
func (t *Timeline) String() string { return t.format(t.Events()) }

func (t *Timeline) format(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		// Round(0) drops the monotonic reading: packets have none, and all
		// events must be measured by one clock.
		at := e.At.Round(0).Sub(t.start.Round(0))
		fmt.Fprintf(&b, "%12.6f s  %-9s %-9s %s\n", at.Seconds(), e.Who, e.Kind, e.What)
	}
	return b.String()
}

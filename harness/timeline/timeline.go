// Package timeline keeps the events of one lab on one clock: steps of the spec, packets, socket
// states, conntrack events, and reports of programs.
//
// The package records and prints events; other packages observe them. Each event has the instant
// at which it happened, not at which it was read. Only conntrack events have the instant at which
// they were read: the kernel gives them no time stamp.
package timeline

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is the source of an event.
type Kind string

// The kinds of events.
const (
	Step      Kind = "step"      // the spec took a step: a fault, a socket option, a call
	Packet    Kind = "packet"    // a packet passed a link
	State     Kind = "state"     // a socket changed its state, or returned an error
	Conntrack Kind = "conntrack" // a conntrack entry was made, changed or destroyed
	Peer      Kind = "peer"      // a program reported an event or wrote a line
	Verdict   Kind = "verdict"   // an assertion failed: what was expected, and when it came
)

// Event is one line of a timeline.
type Event struct {
	At   time.Time // when it happened, by the wall clock; Add replaces the zero value by now
	Who  string    // where it happened, such as "client"; "spec" for a fault
	Kind Kind
	What string // one line in the present tense: "server > client RST seq 1 …"

	// Subject and State are what a State or a Conntrack event has changed: a socket or a
	// flow, and the state that it has from now on: "ESTABLISHED". An empty State means that a
	// flow is forgotten; an empty Subject, that nothing has changed its state.
	Subject, State string
	// Flow is the flow of a Conntrack event: source and destination of the packets of the side
	// that opened it. Zero: the event is another one.
	Flow [2]netip.AddrPort
	// Expires is when the firewall forgets the flow of a Conntrack event, unless a packet
	// passes; zero: it has forgotten the flow, or the event is another one.
	Expires time.Time
	// From and To are the window of a Verdict event, in which something was expected. It
	// came at At, or the assertion gave up then.
	From, To time.Time

	// Order sorts events of the same instant: the lower comes first, and of two with the same
	// Order the one that was added first. Packets have a negative Order: a program reports a
	// packet after the packet has passed, and sends one that passes later.
	Order int
}

// Timeline collects events. The zero value is not usable: make one with New. Its methods may be
// called by any goroutine.
type Timeline struct {
	start  time.Time
	mu     sync.Mutex
	events []Event
}

// New returns an empty timeline whose clock reads zero now.
func New() *Timeline { return &Timeline{start: time.Now()} }

// Start returns the instant at which the timeline's clock reads zero.
func (t *Timeline) Start() time.Time { return t.start }

// Add records an event. The zero At means now.
func (t *Timeline) Add(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

// Addf records an event that happens now. format is that of fmt.Sprintf.
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
	// Packets have the kernel's time stamps and are read later than they passed: the order in
	// which events were added is not the order in which they happened.
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.At.Round(0).Compare(b.At.Round(0)), cmp.Compare(a.Order, b.Order))
	})
	return events
}

// Last returns the last n events as String prints them, oldest first.
func (t *Timeline) Last(n int) string {
	events := t.Events()
	return t.format(events[max(0, len(events)-n):])
}

// String returns all events in the order of Events, one a line: seconds since the start, who,
// kind, what.
func (t *Timeline) String() string { return t.format(t.Events()) }

func (t *Timeline) format(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		// Round(0) drops the monotonic reading: packets have none, and one clock must measure
		// all events.
		at := e.At.Round(0).Sub(t.start.Round(0))
		fmt.Fprintf(&b, "%12.6f s  %-9s %-9s %s\n", at.Seconds(), e.Who, e.Kind, e.What)
	}
	return b.String()
}

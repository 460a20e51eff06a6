package harness

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// kind is the purpose of a step. A step is named by its kind and number, as in "detector 1", for
// HALFOPEN_LEAVE_OUT.
type kind string

const (
	fault    kind = "fault"    // breaks something
	detector kind = "detector" // switches detection on
	action   kind = "action"   // what a program or an administrator does: closes, shuts down, sets a sysctl
)

// The names of the entries that a lab adds to a spec's report, where the test framework keeps
// one.
const (
	StepEntry    = "step"     // one for each step: its kind and its number, as in "fault 1"
	LeftOutEntry = "left out" // of a step that was left out: its kind and what it does
)

// Fault is a fault of the network or of a host, as a value. It can be applied to any lab whose
// topology has what the fault needs. Package scenarios has faults.
type Fault interface {
	String() string         // what happens: "the cable at the client's end is pulled"
	Apply(*Lab) error       // makes it happen, or returns an error if the lab lacks what it needs
	Commands(*Lab) []string // the shell commands that do the same by hand on a real machine
}

// Healer is a Fault that can be undone.
type Healer interface {
	Fault
	Heal(*Lab) error // undoes the fault
}

// Apply makes a fault happen. It fails the step if the fault returns an error, such as when the lab
// has no host that the fault needs.
func (l *Lab) Apply(f Fault) {
	l.t.Helper()
	l.perform(fault, f.String(), func() error { return f.Apply(l) })
}

// Heal undoes a fault. It fails the step if the fault returns an error.
func (l *Lab) Heal(f Healer) {
	l.t.Helper()
	l.perform(action, "healed: "+f.String(), func() error { return f.Heal(l) })
}

// perform takes one step and records it. It fails the step if do returns an error.
func (l *Lab) perform(k kind, name string, do func() error) {
	l.t.Helper()
	l.steps[k]++
	number := fmt.Sprintf("%s %d", k, l.steps[k])
	l.report(StepEntry, number)
	if environment.Read().LeaveOut == number {
		l.timeline.Addf("spec", timeline.Step, "LEFT OUT %s", name)
		l.report(LeftOutEntry, fmt.Sprintf("%s: %s", k, name))
		return
	}
	l.settle()
	amend := l.timeline.Begin("spec", timeline.Step, name)
	began := time.Now()
	err := l.exploration.apart(do)
	took := time.Since(began)
	switch {
	case err != nil: // what the step says has not happened
		amend(fmt.Sprintf("FAILED: %s: %v", name, err))
	case took > 100*time.Millisecond: // packets in the meantime may be from before or after
		l.timeline.Addf("spec", timeline.Step, "%s: done after %v", name, took.Round(time.Millisecond))
	}
	l.settle()
	l.observe()
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", name, err, l.Recent())
	}
}

// settle waits in virtual time until packets that were sent have arrived and are answered: the four
// packets of an SCTP handshake pass twelve cables, and programs take time too. In real time all of
// that happens within the call that sends, because the kernel hands a packet from host to host at
// once. So a spec sees the same state after a step in both.
func (l *Lab) settle() { time.Sleep(20 * l.delay) }

// report adds an entry to the report of the test framework, if it keeps one, as Ginkgo does.
func (l *Lab) report(name, text string) {
	if r, ok := l.t.(interface {
		AddReportEntryVisibilityNever(name string, args ...any)
	}); ok {
		r.AddReportEntryVisibilityNever(name, text)
	}
}

// Observe adds to the timeline the packets and the socket states that are new. Steps do so by
// themselves.
func (l *Lab) Observe() { l.observe() }

// observe adds to the timeline the packets and the socket states that are new since the last call.
func (l *Lab) observe() {
	for _, h := range l.hosts {
		h.capture.AddTo(l.timeline, h.belongsInTimeline)
		for _, c := range h.adopted() {
			c.observe()
		}
		for _, a := range h.adoptedAssociations() {
			a.observe()
		}
	}
}

// stateEvent returns the event of a socket that has changed its state.
func stateEvent(h *Host, socket string, state fmt.Stringer) timeline.Event {
	return timeline.Event{Who: h.name, Kind: timeline.State, What: fmt.Sprintf("%s is %v", socket, state), Subject: socket, State: state.String()}
}

// Judged adds to the timeline what a matcher expected of the host between two instants, and when it
// came or the matcher gave up. Package matcher calls it when an assertion has failed.
func (h *Host) Judged(expected string, from, to, at time.Time) { h.judged(expected, from, to, at) }

// Judged is Host.Judged for a connection.
func (c *Conn) Judged(expected string, from, to, at time.Time) { c.Host.judged(expected, from, to, at) }

// Judged is Host.Judged for an association.
func (a *Association) Judged(expected string, from, to, at time.Time) {
	a.Host.judged(expected, from, to, at)
}

func (h *Host) judged(expected string, from, to, at time.Time) {
	h.lab.timeline.Add(timeline.Event{At: at, Who: h.name, Kind: timeline.Verdict, What: expected, From: from, To: to})
}

// belongsInTimeline reports whether a packet belongs in the timeline: TCP, SCTP and ICMP packets
// where they arrive, and where a peer or the proxy sends them. What a router forwards shows at the
// next host, unless the packet is lost.
func (h *Host) belongsInTimeline(p capture.Packet) bool {
	return (p.TCP || len(p.Chunks) > 0 || p.ICMP != "") && (!p.Out || !h.role.routes())
}

// Recent returns the last 40 events of the timeline with a heading, for failure texts.
func (l *Lab) Recent() string {
	l.observe()
	l.mu.Lock()
	l.told = len(l.timeline.Events())
	l.mu.Unlock()
	return "The last events of the timeline:\n" + l.timeline.Last(recentEvents)
}

// recentEvents is how many events of the timeline are shown.
const recentEvents = 40

// sinceRecent returns the last events with a heading, as Recent does, without those that a failure
// text has shown; empty: it has shown them all.
func (l *Lab) sinceRecent() string {
	l.mu.Lock()
	told := l.told
	l.mu.Unlock()
	later := len(l.timeline.Events()) - told
	switch {
	case told == 0:
		return l.Recent()
	case later <= 0:
		return ""
	}
	return "What happened after that:\n" + l.timeline.Last(min(later, recentEvents))
}

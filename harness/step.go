package harness

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// kind says what a step of a spec is for.
type kind string

const (
	fault    kind = "fault"    // breaks something
	detector kind = "detector" // switches detection on
	action   kind = "action"   // what a program does: close, shut down, set a sysctl
)

// Fault is something that breaks, as a value that can be applied to any lab whose
// topology has what it needs. Package scenarios has them.
type Fault interface {
	String() string         // what happens, in words: "the cable at the client's end is pulled"
	Apply(*Lab) error       // makes it happen
	Commands(*Lab) []string // the shell commands that do the same by hand on a real box
}

// Healer is a Fault that can be undone.
type Healer interface {
	Fault
	Heal(*Lab) error
}

// Apply makes a fault happen. It fails the step when the fault cannot happen in the lab.
func (l *Lab) Apply(f Fault) {
	l.t.Helper()
	l.perform(fault, f.String(), func() error { return f.Apply(l) })
}

// Heal undoes a fault.
func (l *Lab) Heal(f Healer) {
	l.t.Helper()
	l.perform(action, "healed: "+f.String(), func() error { return f.Heal(l) })
}

// perform does one step of the spec, records it, and fails the test when it fails.
func (l *Lab) perform(k kind, name string, do func() error) {
	l.t.Helper()
	l.steps[k]++
	number := fmt.Sprintf("%s %d", k, l.steps[k])
	l.report("step", number)
	if environment.Read().LeaveOut == number {
		l.timeline.Addf("spec", timeline.Step, "LEFT OUT %s", name)
		l.report("left out", fmt.Sprintf("%s: %s", k, name))
		return
	}
	l.settle()
	amend := l.timeline.Begin("spec", timeline.Step, name)
	began := time.Now()
	err := do()
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

// settle waits in virtual time until what was sent has arrived and has been answered: the
// four packets of an SCTP handshake take twelve cables, and programs take their time too. In
// real time all of that happens within the call that sends: the kernel hands a packet from
// host to host at once. So a spec finds the same in both.
func (l *Lab) settle() { time.Sleep(20 * l.delay) }

// report adds an entry to the spec's report where the test framework keeps one.
func (l *Lab) report(name, text string) {
	if r, ok := l.t.(interface {
		AddReportEntryVisibilityNever(name string, args ...any)
	}); ok {
		r.AddReportEntryVisibilityNever(name, text)
	}
}

// observe records what has changed: packets that were captured, states of sockets.
func (l *Lab) observe() {
	for _, h := range l.hosts {
		h.capture.AddTo(l.timeline, h.belongsInTimeline)
		for _, c := range h.conns {
			c.observe()
		}
		for _, a := range h.associations {
			a.observe()
		}
	}
}

// belongsInTimeline reports whether a packet belongs in the timeline: TCP, SCTP and ICMP
// where they arrive, and where a peer sends them. A packet that a router forwards arrives at
// the next host, or is lost.
func (h *Host) belongsInTimeline(p capture.Packet) bool {
	return (p.TCP || len(p.Chunks) > 0 || p.ICMP != "") && (!p.Out || !h.role.routes())
}

// Recent is the last events of the timeline.
func (l *Lab) Recent() string {
	l.observe()
	return "The last events of the timeline:\n" + l.timeline.Last(40)
}

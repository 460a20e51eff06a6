package matcher

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Announcer is a program that reports events: harness.Program.
type Announcer interface {
	// AwaitUntil waits for the first event of that name, at the latest until an
	// instant; ok is false when there is none.
	AwaitUntil(event string, until time.Time) (e peer.Event, ok bool)
}

// Announce succeeds when the program reports the event in time, by the program's own
// clock, which is the machine's:
//
//	Expect(client).To(Announce("silent", During(oracle.Silence(timeout, interval), stopped)))
func Announce(event string, when Deadline) types.GomegaMatcher {
	return &announce{event: event, when: when}
}

// AnnounceErrno is Announce for an event that comes with an errno, and with that one:
//
//	Expect(client).To(AnnounceErrno("failed", unix.ECONNRESET, Within(time.Second)))
func AnnounceErrno(event string, errno unix.Errno, when Deadline) types.GomegaMatcher {
	return &announce{event: event, errno: sock.ErrnoName(errno), when: when}
}

type announce struct {
	event string
	errno string // empty: any, or none
	when  Deadline
	got   string // what came with the event
	at    time.Time
	never bool
}

// Match implements types.GomegaMatcher.
func (m *announce) Match(actual any) (bool, error) {
	r, err := asAnnouncer(actual)
	if err != nil {
		return false, err
	}
	m.when = m.when.start()
	e, ok := r.AwaitUntil(m.event, m.when.deadline())
	if !ok {
		m.at, m.never = time.Now(), true
		return false, nil
	}
	m.at, m.got = e.At, e.Text
	return m.when.includes(e.At) && (m.errno == "" || m.got == m.errno), nil
}

func (m *announce) outcome() string {
	switch {
	case m.never:
		return "it did not, " + m.when.verdict(m.at)
	case m.errno != "":
		return fmt.Sprintf("it did, with %q, %s", m.got, m.when.verdict(m.at))
	}
	return "it did, " + m.when.verdict(m.at)
}

// FailureMessage implements types.GomegaMatcher.
func (m *announce) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *announce) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *announce) message(to string, actual any) string {
	with := ""
	if m.errno != "" {
		with = " with " + m.errno
	}
	return fmt.Sprintf("Expected %s %s report %q%s\n  %v;\n%s.%s", name(actual), to, m.event, with, m.when, m.outcome(), recent(actual))
}

// GoWithout succeeds when the program does not report the event in that time, nor
// has before.
func GoWithout(event string, d time.Duration) types.GomegaMatcher {
	return &goWithout{event: event, for_: d}
}

type goWithout struct {
	event string
	for_  time.Duration
	after time.Duration
}

// Match implements types.GomegaMatcher.
func (m *goWithout) Match(actual any) (bool, error) {
	r, err := asAnnouncer(actual)
	if err != nil {
		return false, err
	}
	began := time.Now()
	e, ok := r.AwaitUntil(m.event, began.Add(m.for_))
	m.after = e.At.Sub(began)
	return !ok, nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *goWithout) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to go without reporting %q for %v; it did so after %v.%s",
		name(actual), m.event, m.for_, m.after.Round(time.Millisecond), recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *goWithout) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to report %q in the next %v; it did not.%s", name(actual), m.event, m.for_, recent(actual))
}

func asAnnouncer(actual any) (Announcer, error) {
	r, ok := actual.(Announcer)
	if !ok {
		return nil, fmt.Errorf("this matcher asks a program for its events (a harness.Program), and was given a %T", actual)
	}
	return r, nil
}

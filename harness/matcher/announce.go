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
	// AwaitUntil waits for the first event of a name and returns it; ok is false when none has
	// come by the instant until.
	AwaitUntil(event string, until time.Time) (e peer.Event, ok bool)
}

// Announce succeeds when the program first reports the event in time. The program's own time
// stamp decides, which it takes from the machine's clock:
//
//	Expect(client).To(Announce("silent", During(oracle.Silence(timeout, interval), stopped)))
func Announce(event string, when Deadline) types.GomegaMatcher {
	return &announce{event: event, when: when}
}

// AnnounceErrno succeeds when the program first reports the event in time and with the errno:
//
//	Expect(client).To(AnnounceErrno("failed", unix.ECONNRESET, Within(time.Second)))
func AnnounceErrno(event string, errno unix.Errno, when Deadline) types.GomegaMatcher {
	return &announce{event: event, errno: sock.ErrnoName(errno), when: when}
}

type announce struct {
	event string
	errno string // empty: any, or none
	when  Deadline
	got   string    // the text of the event
	at    time.Time // of the event, or of the end of the wait
	never bool      // the wait ended without the event
}

// Match implements types.GomegaMatcher.
func (m *announce) Match(actual any) (bool, error) {
	r, err := asAnnouncer(actual)
	if err != nil {
		return false, err
	}
	m.when = m.when.start()
	e, ok := r.AwaitUntil(m.event, m.when.end())
	if !ok {
		m.at, m.never = time.Now(), true
		return false, nil
	}
	m.at, m.got = e.At, e.Text
	return m.when.includes(e.At) && (m.errno == "" || m.got == m.errno), nil
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
	expected := fmt.Sprintf("Expected %s %s report %q%s", name(actual), to, m.event, with)
	m.when.judged(actual, expected, m.at)
	return fmt.Sprintf("%s\n  %v;\nit %s%s", expected, m.when, m.outcome(), recent(actual))
}

func (m *announce) outcome() string {
	switch {
	case m.never:
		return "had not when the matcher stopped waiting, " + m.when.after(m.at)
	case m.errno == "":
		return "first did so " + m.when.verdict(m.at)
	case m.got == "":
		return fmt.Sprintf("first did so without an errno, %s", m.when.verdict(m.at))
	case m.got != m.errno:
		return fmt.Sprintf("first did so with %s instead, %s", m.got, m.when.verdict(m.at))
	}
	return fmt.Sprintf("first did so with %s, %s", m.got, m.when.verdict(m.at))
}

// GoWithout succeeds when the program has not reported the event before, and does not report
// it for the duration d. It waits for all of d.
func GoWithout(event string, d time.Duration) types.GomegaMatcher {
	return &goWithout{event: event, duration: d}
}

type goWithout struct {
	event    string
	duration time.Duration
	after    time.Duration
}

// Match implements types.GomegaMatcher.
func (m *goWithout) Match(actual any) (bool, error) {
	r, err := asAnnouncer(actual)
	if err != nil {
		return false, err
	}
	began := time.Now()
	e, ok := r.AwaitUntil(m.event, began.Add(m.duration))
	m.after = e.At.Sub(began)
	return !ok, nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *goWithout) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to go without reporting %q for %v; it %s%s",
		name(actual), m.event, m.duration, m.outcome(), recent(actual))
}

func (m *goWithout) outcome() string {
	after := m.after.Round(time.Millisecond)
	if m.after < 0 {
		return fmt.Sprintf("had done so already, %v before", -after)
	}
	return fmt.Sprintf("did so after %v", after)
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *goWithout) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to report %q in the next %v; it did not%s", name(actual), m.event, m.duration, recent(actual))
}

func asAnnouncer(actual any) (Announcer, error) {
	r, ok := actual.(Announcer)
	if !ok {
		return nil, fmt.Errorf("this matcher waits for the event of a program (a harness.Program), but was given a %T", actual)
	}
	return r, nil
}

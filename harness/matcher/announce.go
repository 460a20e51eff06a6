package matcher

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"
)

// Announcer is a program that reports events: harness.Program.
type Announcer interface {
	When(event string) (at time.Time, ok bool)
}

// Announce succeeds when the program reports the event in time, by the program's own
// clock, which is the machine's:
//
//	Expect(client).To(Announce("silent", During(oracle.Silence(timeout, interval), stopped)))
func Announce(event string, when Deadline) types.GomegaMatcher {
	return &announce{event: event, when: when}
}

type announce struct {
	event string
	when  Deadline
	at    time.Time
	never bool
}

// Match implements types.GomegaMatcher.
func (m *announce) Match(actual any) (bool, error) {
	r, ok := actual.(Announcer)
	if !ok {
		return false, fmt.Errorf("this matcher asks a program for its events (a harness.Program), and was given a %T", actual)
	}
	m.when = m.when.start()
	for {
		at, ok := r.When(m.event)
		if ok {
			m.at = at
			return m.when.includes(at), nil
		}
		if m.at = time.Now(); m.at.After(m.when.deadline()) {
			m.never = true
			return false, nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (m *announce) outcome() string {
	if m.never {
		return "it did not, " + m.when.verdict(m.at)
	}
	return "it did, " + m.when.verdict(m.at)
}

// FailureMessage implements types.GomegaMatcher.
func (m *announce) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to announce %q\n  %v;\n%s.%s", name(actual), m.event, m.when, m.outcome(), recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *announce) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to announce %q\n  %v;\n%s.%s", name(actual), m.event, m.when, m.outcome(), recent(actual))
}

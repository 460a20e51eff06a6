package matcher

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// EnterState succeeds when the connection comes to be in a state, in time. Of a
// connection's TableEntry, sock.Closed means that the kernel has forgotten it.
func EnterState(state sock.State, when Deadline) types.GomegaMatcher {
	return &enterState{state: state, when: when}
}

type enterState struct {
	state sock.State
	when  Deadline
	got   sock.State
	at    time.Time

	missed time.Time // when the last look began that found another state
}

// Match implements types.GomegaMatcher.
func (m *enterState) Match(actual any) (bool, error) {
	s, err := asStater(actual)
	if err != nil {
		return false, err
	}
	m.when = m.when.start()
	for {
		looking := time.Now()
		if m.got, err = state(s); err != nil {
			return false, err
		}
		m.at = time.Now()
		if m.got == m.state {
			return m.when.includesBetween(m.missed, m.at), nil
		}
		m.missed = looking
		if m.at.After(m.when.deadline()) {
			return false, nil
		}
		time.Sleep(m.when.pause())
	}
}

// FailureMessage implements types.GomegaMatcher.
func (m *enterState) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to come to be %v\n  %v;\nit was %v, %s.%s",
		name(actual), m.state, m.when, m.got, m.when.verdict(m.at), recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *enterState) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to come to be %v\n  %v;\nit was %v, %s.%s",
		name(actual), m.state, m.when, m.got, m.when.verdict(m.at), recent(actual))
}

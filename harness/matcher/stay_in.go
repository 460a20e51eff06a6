package matcher

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// StayIn succeeds when the connection is in the TCP state for all of the duration d. It looks
// 200 times, at most every 5 ms: a state that lasts shorter may be missed.
func StayIn(state sock.State, d time.Duration) types.GomegaMatcher {
	return &stayIn{state: state, duration: d}
}

type stayIn struct {
	state    sock.State
	duration time.Duration
	got      sock.State
	after    time.Duration
}

// Match implements types.GomegaMatcher.
func (m *stayIn) Match(actual any) (bool, error) {
	s, err := asStater(actual)
	if err != nil {
		return false, err
	}
	for began := time.Now(); ; time.Sleep(max(5*time.Millisecond, m.duration/200)) {
		if m.got, err = state(s); err != nil {
			return false, err
		}
		m.after = time.Since(began)
		if m.got != m.state || m.after >= m.duration {
			return m.got == m.state, nil
		}
	}
}

// FailureMessage implements types.GomegaMatcher.
func (m *stayIn) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to stay %v for %v; after %v it was %v%s",
		name(actual), m.state, m.duration, m.after.Round(time.Millisecond), m.got, recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *stayIn) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to stay %v for %v; it did%s", name(actual), m.state, m.duration, recent(actual))
}

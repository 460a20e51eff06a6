package matcher

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"
)

// Happen succeeds when an instant, such as a packet's, lies in the window:
//
//	Expect(probe.At).To(Happen(During(oracle.Around(k.Idle), quiet)))
func Happen(when Deadline) types.GomegaMatcher { return &happen{when} }

type happen struct{ when Deadline }

// Match implements types.GomegaMatcher.
func (m *happen) Match(actual any) (bool, error) {
	at, ok := actual.(time.Time)
	if !ok {
		return false, fmt.Errorf("this matcher compares an instant (a time.Time) with a window, but was given a %T", actual)
	}
	m.when = m.when.start()
	return m.when.includes(at), nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *happen) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *happen) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *happen) message(to string, actual any) string {
	return fmt.Sprintf("Expected it %s have happened\n  %v;\nit happened\n  %s", to, m.when, m.when.verdict(actual.(time.Time)))
}

package matcher

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// StayAlive succeeds when nothing can be read from the connection for the duration d, neither
// data nor the zero-read nor an error, and the connection is then ESTABLISHED. It waits for all
// of d:
//
//	Expect(client).To(StayAlive(3 * time.Second))
func StayAlive(d time.Duration) types.GomegaMatcher { return &stayAlive{duration: d} }

type stayAlive struct {
	duration time.Duration
	since    time.Time
	got      reading
	state    string
}

// Match implements types.GomegaMatcher.
func (m *stayAlive) Match(actual any) (bool, error) {
	r, err := asReader(actual)
	if err != nil {
		return false, err
	}
	stater, err := asStater(actual)
	if err != nil {
		return false, err
	}
	m.since = time.Now()
	m.got = read(r, m.since.Add(m.duration))
	got, err := state(stater)
	switch {
	case errors.Is(err, os.ErrClosed): // not alive: the read has returned this error too
		m.state = "the socket is gone"
	case err != nil:
		return false, err
	default:
		m.state = "it is " + got.String()
	}
	return m.got.never && got == sock.Established, nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *stayAlive) FailureMessage(actual any) string {
	outcome := "nothing came in that time, but " + m.state
	if !m.got.never {
		outcome = fmt.Sprintf("after %v reading it gave\n  %v,\nand %s", m.got.at.Sub(m.since).Round(time.Millisecond), m.got, m.state)
	}
	return fmt.Sprintf("Expected %s to stay alive for %v;\n%s%s", name(actual), m.duration, outcome, recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *stayAlive) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to stay alive for %v;\nnothing came in that time, and %s%s",
		name(actual), m.duration, m.state, recent(actual))
}

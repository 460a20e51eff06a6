package matcher

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Stater is a socket, or an entry of a socket table, with a TCP state: harness.Conn,
// harness.TableEntry and sock.Conn.
type Stater interface{ State() (sock.State, error) }

// BeInState succeeds when the connection is in one of the TCP states now. It does not wait;
// EnterState does.
func BeInState(state sock.State, or ...sock.State) types.GomegaMatcher {
	return &beInState{states: append([]sock.State{state}, or...)}
}

type beInState struct {
	states []sock.State
	got    sock.State
}

// Match implements types.GomegaMatcher.
func (m *beInState) Match(actual any) (bool, error) {
	s, err := asStater(actual)
	if err != nil {
		return false, err
	}
	if m.got, err = state(s); err != nil {
		return false, err
	}
	return slices.Contains(m.states, m.got), nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *beInState) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to be %v; it is %v%s", name(actual), m.wanted(), m.got, recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *beInState) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to be %v; it is %v%s", name(actual), m.wanted(), m.got, recent(actual))
}

func (m *beInState) wanted() string {
	text := m.states[0].String()
	for _, s := range m.states[1:] {
		text += " or " + s.String()
	}
	return text
}

// state returns the state now. The error names the connection.
func state(s Stater) (sock.State, error) {
	got, err := s.State()
	if errors.Is(err, os.ErrClosed) {
		return 0, fmt.Errorf("reading the TCP state of %s: the spec has closed the socket (%w): take Conn.TableEntry before closing it, and match that", name(s), err)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the TCP state of %s: %w", name(s), err)
	}
	return got, nil
}

func asStater(actual any) (Stater, error) {
	s, ok := actual.(Stater)
	if !ok {
		return nil, fmt.Errorf("this matcher reads the TCP state of a connection (a harness.Conn, harness.TableEntry or sock.Conn), but was given a %T", actual)
	}
	return s, nil
}

package matcher

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Stater is a socket that knows its TCP state: harness.Conn and sock.Conn do.
type Stater interface{ State() (sock.State, error) }

// BeInState succeeds when the kernel has the connection in one of the states at
// this moment. It does not wait: Eventually(client).Should(BeInState(…)) does.
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

// state is the state now. The error says who was asked.
func state(s Stater) (sock.State, error) {
	got, err := s.State()
	if errors.Is(err, os.ErrClosed) {
		return 0, fmt.Errorf("asking %s for its state: the spec has closed the socket (%w); ask the host's socket table instead (Conn.TableEntry, taken before)", name(s), err)
	}
	if err != nil {
		return 0, fmt.Errorf("asking %s for its state: %w", name(s), err)
	}
	return got, nil
}

func asStater(actual any) (Stater, error) {
	s, ok := actual.(Stater)
	if !ok {
		return nil, fmt.Errorf("this matcher asks a connection for its TCP state (a harness.Conn or sock.Conn), and was given a %T", actual)
	}
	return s, nil
}

package matcher

import (
	"fmt"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// EnterState succeeds when the connection enters the TCP state in time. For a
// harness.TableEntry, sock.Closed means that the kernel has forgotten the connection.
func EnterState(state sock.State, when Deadline) types.GomegaMatcher {
	return &enterState{state: state, watch: watch[sock.State]{when: when}}
}

type enterState struct {
	state sock.State
	watch watch[sock.State]
}

// Match implements types.GomegaMatcher.
func (m *enterState) Match(actual any) (bool, error) {
	s, err := asStater(actual)
	if err != nil {
		return false, err
	}
	return m.watch.until(func(got sock.State) bool { return got == m.state }, func() (sock.State, error) { return state(s) })
}

// FailureMessage implements types.GomegaMatcher.
func (m *enterState) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *enterState) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *enterState) message(to string, actual any) string {
	expected := fmt.Sprintf("Expected %s %s enter %v", name(actual), to, m.state)
	m.watch.when.judged(actual, expected, m.watch.ended)
	return fmt.Sprintf("%s\n  %v;\nit was%s%s", expected, m.watch.when, m.watch.describe(func(sock.State) string { return "" }), recent(actual))
}

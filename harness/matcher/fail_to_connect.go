package matcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Connector is a socket on which connect(2) was called: harness.Conn and sock.Conn.
type Connector interface {
	AwaitConnected(ctx context.Context) error
}

// FailToConnect succeeds when a connection that is being opened fails with the
// errno, in time.
func FailToConnect(errno unix.Errno, when Deadline) types.GomegaMatcher {
	return &failToConnect{errno: errno, when: when}
}

type failToConnect struct {
	errno unix.Errno
	when  Deadline
	got   error
	at    time.Time
}

// Match implements types.GomegaMatcher.
func (m *failToConnect) Match(actual any) (bool, error) {
	c, ok := actual.(Connector)
	if !ok {
		return false, fmt.Errorf("this matcher waits for a socket to connect (a harness.Conn or sock.Conn), and was given a %T", actual)
	}
	m.when = m.when.start()
	ctx, cancel := context.WithDeadline(context.Background(), m.when.deadline())
	defer cancel()
	m.got = c.AwaitConnected(ctx)
	m.at = time.Now()
	record(actual, "connecting ends: "+m.outcome())
	return errors.Is(m.got, m.errno) && m.when.includes(m.at), nil
}

func (m *failToConnect) outcome() string {
	switch {
	case m.got == nil:
		return "it is connected"
	case errors.Is(m.got, context.DeadlineExceeded):
		return "it is still connecting"
	}
	return sock.ErrnoName(m.got)
}

// FailureMessage implements types.GomegaMatcher.
func (m *failToConnect) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to fail to connect, with %s\n  %v;\n%s, %s.%s",
		name(actual), sock.ErrnoName(m.errno), m.when, m.outcome(), m.when.verdict(m.at), recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *failToConnect) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to fail to connect with %s\n  %v;\n%s, %s.%s",
		name(actual), sock.ErrnoName(m.errno), m.when, m.outcome(), m.when.verdict(m.at), recent(actual))
}

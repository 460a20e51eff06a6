package matcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Connector is a socket on which connect(2) was called: harness.Conn, harness.Association and
// those of package sock.
type Connector interface {
	AwaitConnected(ctx context.Context) error
}

// FailToConnect succeeds when connecting fails with the errno in time. The spec has called
// Connect, which returned EINPROGRESS.
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
		return false, fmt.Errorf("this matcher waits until a socket is connected (a harness.Conn or sock.Conn), but was given a %T", actual)
	}
	m.when = m.when.start()
	ctx, cancel := context.WithDeadline(context.Background(), m.when.end())
	defer cancel()
	m.got = c.AwaitConnected(ctx)
	m.at = time.Now()
	record(actual, "connecting: "+connecting(m.got))
	return errors.Is(m.got, m.errno) && m.when.includes(m.at), nil
}

// connecting says how connecting has ended, for the timeline.
func connecting(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, context.DeadlineExceeded):
		return "not done yet"
	}
	return sock.ErrnoName(err)
}

// FailureMessage implements types.GomegaMatcher.
func (m *failToConnect) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *failToConnect) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *failToConnect) message(to string, actual any) string {
	expected := fmt.Sprintf("Expected %s %s fail to connect with %s", name(actual), to, sock.ErrnoName(m.errno))
	m.when.judged(actual, expected, m.at)
	return fmt.Sprintf("%s\n  %v;\nit %s%s", expected, m.when, m.outcome(), recent(actual))
}

func (m *failToConnect) outcome() string {
	when := m.when.verdictBetween(time.Time{}, m.at)
	switch {
	case m.got == nil:
		return "connected instead, " + when
	case errors.Is(m.got, context.DeadlineExceeded):
		return "was still connecting when the matcher stopped waiting, " + m.when.after(m.at)
	case errors.Is(m.got, os.ErrClosed):
		return "was closed by this side itself, " + when
	case !errors.Is(m.got, m.errno):
		return fmt.Sprintf("failed with %s instead, %s", sock.ErrnoName(m.got), when)
	}
	return fmt.Sprintf("failed with %s, %s", sock.ErrnoName(m.got), when)
}

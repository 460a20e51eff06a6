package matcher_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestBeInStateLooksOnceAtTheState(t *testing.T) {
	clock(t, func(t *testing.T) {
		c := client()
		c.state = sock.CloseWait
		says(t, matcher.BeInState(sock.CloseWait), c, true, "Expected client not to be CLOSE_WAIT; it is CLOSE_WAIT\n[timeline: ]")
		says(t, matcher.BeInState(sock.Closed, sock.CloseWait), c, true, "Expected client not to be CLOSED or CLOSE_WAIT; it is CLOSE_WAIT\n[timeline: ]")
		says(t, matcher.BeInState(sock.Established), c, false, "Expected client to be ESTABLISHED; it is CLOSE_WAIT\n[timeline: ]")
		says(t, matcher.BeInState(sock.TimeWait, sock.Closed), c, false, "Expected client to be TIME_WAIT or CLOSED; it is CLOSE_WAIT\n[timeline: ]")
		if c.since() != 0 {
			t.Errorf("the matcher waited %v; Eventually is there to wait", c.since())
		}
	})
}

func TestWhatCannotBeAskedForItsStateIsRefused(t *testing.T) {
	clock(t, func(t *testing.T) {
		const text = "this matcher reads the TCP state of a connection (a harness.Conn, harness.TableEntry or sock.Conn), but was given a int"
		refuses(t, matcher.BeInState(sock.Established), 7, text)
		refuses(t, matcher.EnterState(sock.Established, matcher.Within(s)), 7, text)
		refuses(t, matcher.StayIn(sock.Established, s), 7, text)

		c := client()
		c.stateErr = os.ErrClosed
		const closed = "reading the TCP state of client: the spec has closed the socket (file already closed): take Conn.TableEntry before closing it, and match that"
		refuses(t, matcher.BeInState(sock.Closed), c, closed)
		refuses(t, matcher.EnterState(sock.Closed, matcher.Within(s)), c, closed)
		refuses(t, matcher.StayIn(sock.Closed, s), c, closed)

		c.stateErr = fmt.Errorf("the socket table: %w", unix.ENOBUFS)
		for _, m := range []interface{ Match(any) (bool, error) }{
			matcher.BeInState(sock.Closed), matcher.EnterState(sock.Closed, matcher.Within(s)), matcher.StayIn(sock.Closed, s),
		} {
			if got, err := m.Match(c); got || err == nil || err.Error() != "reading the TCP state of client: the socket table: no buffer space available" {
				t.Errorf("%T: %v, %v; expected the error with who was asked", m, got, err)
			}
		}
	})
}

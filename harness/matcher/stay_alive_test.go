package matcher_test

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestAConnectionStaysAliveWhileNothingAtAllHappens(t *testing.T) {
	for _, c := range []struct {
		what    string
		after   time.Duration
		n       int
		err     error
		becomes sock.State
		matches bool
		text    string
	}{
		{"nothing", never, 0, nil, 0, true, "Expected client not to stay alive for 3s;\nnothing came in that time, and it is ESTABLISHED\n[timeline: ]"},
		{"data", 2 * s, 5, nil, 0, false, "Expected client to stay alive for 3s;\nafter 2s reading it gave\n  5 bytes of data,\nand it is ESTABLISHED\n[timeline: reads: 5 bytes of data]"},
		{"the zero-read", 2 * s, 0, nil, sock.CloseWait, false, "Expected client to stay alive for 3s;\nafter 2s reading it gave\n  0: the zero-read,\nand it is CLOSE_WAIT\n[timeline: reads: 0: the zero-read]"},
		{"an errno", 2999 * ms, 0, unix.ETIMEDOUT, sock.Closed, false, "Expected client to stay alive for 3s;\nafter 2.999s reading it gave\n  ETIMEDOUT,\nand it is CLOSED\n[timeline: reads: ETIMEDOUT]"},
		{"an errno afterwards", 3001 * ms, 0, unix.ETIMEDOUT, 0, true, "Expected client not to stay alive for 3s;\nnothing came in that time, and it is ESTABLISHED\n[timeline: ]"},
		{"another state", never, 0, nil, sock.FinWait2, false, "Expected client to stay alive for 3s;\nnothing came in that time, but it is FIN_WAIT2\n[timeline: ]"},
	} {
		t.Run(c.what, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				connection := reading(c.after, c.n, c.err)
				connection.changes, connection.becomes = c.after, c.becomes
				if c.after == never {
					connection.changes = s
				}
				says(t, matcher.StayAlive(3*s), connection, c.matches, c.text)
			})
		})
	}
}

func TestASocketThatTheSpecHasClosedIsNotAlive(t *testing.T) {
	clock(t, func(t *testing.T) {
		c := client()
		c.comes, c.waiting, c.stateErr = 0, os.ErrClosed, os.ErrClosed
		says(t, matcher.StayAlive(3*s), c, false,
			"Expected client to stay alive for 3s;\nafter 0s reading it gave\n  the error that this side has closed the socket itself,\nand the socket is gone\n[timeline: ]")
	})
}

func TestASocketWhoseStateIsNotToldIsNoDeadOne(t *testing.T) {
	clock(t, func(t *testing.T) {
		c := client()
		c.stateErr = unix.ENOBUFS
		if got, err := matcher.StayAlive(3 * s).Match(c); got || err == nil || err.Error() != "reading the TCP state of client: no buffer space available" {
			t.Errorf("Match: %v, %v; expected the error with who was asked", got, err)
		}
	})
}

func TestWhatHasNoStateCannotStayAlive(t *testing.T) {
	clock(t, func(t *testing.T) {
		refuses(t, matcher.StayAlive(s), mute{},
			"this matcher reads the TCP state of a connection (a harness.Conn, harness.TableEntry or sock.Conn), but was given a matcher_test.mute")
	})
}

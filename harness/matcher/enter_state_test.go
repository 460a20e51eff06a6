package matcher_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestAStateMustBeEnteredInItsWindow(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		matches bool
		text    string
	}{
		{0, false, "Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  CLOSED after 0s: too early\n[timeline: ]"},
		{199 * ms, false, "Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 199ms: too early\n[timeline: ]"},
		{200 * ms, true, "Expected client not to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 200ms: in time\n[timeline: ]"},
		{300 * ms, true, "Expected client not to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 300ms: in time\n[timeline: ]"},
		{301 * ms, false, "Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 301ms: too late\n[timeline: ]"},
		{never, false, "Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  FIN_WAIT2 still when the matcher stopped looking, after 800ms\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				connection := client()
				connection.state, connection.changes, connection.becomes = sock.FinWait2, c.after, sock.Closed
				says(t, matcher.EnterState(sock.Closed, window()), connection, c.matches, c.text)
			})
		})
	}
}

func TestAnotherStateIsNamedWithTheTimeAtWhichItCame(t *testing.T) {
	clock(t, func(t *testing.T) {
		connection := client()
		connection.state, connection.changes, connection.becomes = sock.FinWait2, 250*ms, sock.TimeWait
		says(t, matcher.EnterState(sock.Closed, window()), connection, false,
			"Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  TIME_WAIT after 250ms\n  TIME_WAIT still when the matcher stopped looking, after 800ms\n[timeline: ]")
	})
}

func TestAStateThatWasThereWhenTheMatcherStartedTooLateIsNotCalledLate(t *testing.T) {
	clock(t, func(t *testing.T) {
		connection, when := client(), window()
		connection.state = sock.Closed
		time.Sleep(400 * ms)
		says(t, matcher.EnterState(sock.Closed, when), connection, false,
			"Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  CLOSED after 400ms: when it came is unknown, because the matcher began to look only after 400ms\n[timeline: ]")
	})
}

// On a busy machine the matcher may not run for a while.
func TestWhatHappenedWhileNobodyLookedIsNotTooLate(t *testing.T) {
	for _, c := range []struct {
		asleep  time.Duration // from then on, for 200 ms
		matches bool
		text    string
	}{
		{250 * ms, true, "Expected client not to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 450ms, but not yet after 249ms: in time\n[timeline: ]"},
		{150 * ms, false, "Expected client to enter CLOSED\n  between 200ms and 300ms after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 350ms, but not yet after 149ms: when it came between the two is unknown\n[timeline: ]"},
	} {
		clock(t, func(t *testing.T) {
			connection := client()
			connection.state, connection.changes, connection.becomes = sock.FinWait2, 290*ms, sock.Closed
			connection.asleep = c.asleep
			says(t, matcher.EnterState(sock.Closed, window()), connection, c.matches, c.text)
		})
	}
}

// The matcher looks seldom while the window is far away, but also just before it opens.
func TestAStateThatIsEnteredJustBeforeAFarWindowIsTooEarly(t *testing.T) {
	clock(t, func(t *testing.T) {
		connection := client()
		connection.state, connection.changes, connection.becomes = sock.FinWait2, time.Hour-5*ms, sock.Closed
		far := matcher.During(oracle.Window{Earliest: time.Hour, Latest: time.Hour + time.Minute}, time.Now())
		says(t, matcher.EnterState(sock.Closed, far), connection, false,
			"Expected client to enter CLOSED\n  between 1h0m0s and 1h1m0s after the instant given;\nit was\n  FIN_WAIT2 at the first look, after 0s\n  CLOSED after 59m59.999s: too early\n[timeline: ]")
	})
}

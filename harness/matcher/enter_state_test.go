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
		{0, false, "Expected client to come to be CLOSED\n  between 200ms and 300ms since the instant given;\nit was CLOSED, after 0s: too early.\n[timeline: ]"},
		{199 * ms, false, "Expected client to come to be CLOSED\n  between 200ms and 300ms since the instant given;\nit was CLOSED, after 199ms: too early.\n[timeline: ]"},
		{200 * ms, true, "Expected client not to come to be CLOSED\n  between 200ms and 300ms since the instant given;\nit was CLOSED, after 200ms: in time.\n[timeline: ]"},
		{300 * ms, true, "Expected client not to come to be CLOSED\n  between 200ms and 300ms since the instant given;\nit was CLOSED, after 300ms: in time.\n[timeline: ]"},
		{301 * ms, false, "Expected client to come to be CLOSED\n  between 200ms and 300ms since the instant given;\nit was CLOSED, after 301ms: too late.\n[timeline: ]"},
		{never, false, "Expected client to come to be CLOSED\n  between 200ms and 300ms since the instant given;\nit was FIN_WAIT2, after 800ms: too late.\n[timeline: ]"},
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

// On a machine that is busy the matcher may not get to look for a while.
func TestWhatHappenedWhileNobodyLookedIsNotTooLate(t *testing.T) {
	for asleep, want := range map[time.Duration]bool{250 * ms: true, 150 * ms: false} { // from then on, for 200 ms
		clock(t, func(t *testing.T) {
			connection := client()
			connection.state, connection.changes, connection.becomes = sock.FinWait2, 290*ms, sock.Closed
			connection.asleep = asleep
			if ok, err := matcher.EnterState(sock.Closed, window()).Match(connection); ok != want || err != nil {
				t.Errorf("a look that began after %v and took 200ms: %v, %v; expected %v", asleep, ok, err, want)
			}
		})
	}
}

// Before a window that is far away the matcher looks seldom, but not just before it.
func TestAStateThatIsEnteredJustBeforeAFarWindowIsTooEarly(t *testing.T) {
	clock(t, func(t *testing.T) {
		connection := client()
		connection.state, connection.changes, connection.becomes = sock.FinWait2, time.Hour-5*ms, sock.Closed
		far := matcher.During(oracle.Window{Earliest: time.Hour, Latest: time.Hour + time.Minute}, time.Now())
		says(t, matcher.EnterState(sock.Closed, far), connection, false,
			"Expected client to come to be CLOSED\n  between 1h0m0s and 1h1m0s since the instant given;\nit was CLOSED, after 59m59.999s: too early.\n[timeline: ]")
	})
}

package matcher_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestAStateMustBeKeptToTheEnd(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		matches bool
		text    string
	}{
		{0, false, "Expected client to stay TIME_WAIT for 1s; after 0s it was CLOSED\n[timeline: ]"},
		{500 * ms, false, "Expected client to stay TIME_WAIT for 1s; after 500ms it was CLOSED\n[timeline: ]"},
		{s, false, "Expected client to stay TIME_WAIT for 1s; after 1s it was CLOSED\n[timeline: ]"},
		{s + ms, true, "Expected client not to stay TIME_WAIT for 1s; it did\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				connection := client()
				connection.state, connection.changes, connection.becomes = sock.TimeWait, c.after, sock.Closed
				says(t, matcher.StayIn(sock.TimeWait, s), connection, c.matches, c.text)
			})
		})
	}
}

package matcher_test

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
)

// mute is a Reader without a name and a timeline.
type mute struct{}

func (mute) AwaitReadable(context.Context) error { return nil }
func (mute) Receive([]byte) (int, error)         { return 0, unix.ETIMEDOUT }

func TestAThingWithoutNameAndTimelineIsCalledByItsType(t *testing.T) {
	clock(t, func(t *testing.T) {
		says(t, matcher.FailWith(unix.ECONNRESET, matcher.Within(s)), mute{}, false,
			"Expected matcher_test.mute to fail with ECONNRESET\n  within 1s from now;\nreading it gave\n  ETIMEDOUT instead, after 0s: in time")
	})
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	const text = "this matcher reads from a connection (a harness.Conn or sock.Conn), but was given a string"
	clock(t, func(t *testing.T) {
		refuses(t, matcher.FailWith(unix.ECONNRESET, matcher.Within(s)), "client", text)
		refuses(t, matcher.ReadZero(matcher.Within(s)), "client", text)
		refuses(t, matcher.StayAlive(s), "client", text)
	})
}

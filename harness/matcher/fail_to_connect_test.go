package matcher_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
)

func TestAConnectionAttemptMustFailInItsWindow(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		err     error
		matches bool
		text    string
	}{
		{199 * ms, unix.EHOSTUNREACH, false, "Expected client to fail to connect, with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nEHOSTUNREACH, after 199ms: too early.\n[timeline: connecting ends: EHOSTUNREACH]"},
		{200 * ms, unix.EHOSTUNREACH, true, "Expected client not to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nEHOSTUNREACH, after 200ms: in time.\n[timeline: connecting ends: EHOSTUNREACH]"},
		{300 * ms, unix.EHOSTUNREACH, true, "Expected client not to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nEHOSTUNREACH, after 300ms: in time.\n[timeline: connecting ends: EHOSTUNREACH]"},
		{301 * ms, unix.EHOSTUNREACH, false, "Expected client to fail to connect, with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nEHOSTUNREACH, after 301ms: too late.\n[timeline: connecting ends: EHOSTUNREACH]"},
		{250 * ms, unix.ECONNREFUSED, false, "Expected client to fail to connect, with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nECONNREFUSED, after 250ms: in time.\n[timeline: connecting ends: ECONNREFUSED]"},
		{250 * ms, nil, false, "Expected client to fail to connect, with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nit is connected, after 250ms: in time.\n[timeline: connecting ends: it is connected]"},
		{250 * ms, os.ErrClosed, false, "Expected client to fail to connect, with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nfile already closed, after 250ms: in time.\n[timeline: connecting ends: file already closed]"},
		{never, errors.New("not reached"), false, "Expected client to fail to connect, with EHOSTUNREACH\n  between 200ms and 300ms since the instant given;\nit is still connecting, after 800ms: too late.\n[timeline: connecting ends: it is still connecting]"},
	} {
		t.Run(fmt.Sprint(c.after, c.err), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				says(t, matcher.FailToConnect(unix.EHOSTUNREACH, window()), reading(c.after, 0, c.err), c.matches, c.text)
			})
		})
	}
}

func TestWhatDoesNotConnectIsRefused(t *testing.T) {
	clock(t, func(t *testing.T) {
		refuses(t, matcher.FailToConnect(unix.ECONNREFUSED, matcher.Within(s)), mute{},
			"this matcher waits for a socket to connect (a harness.Conn or sock.Conn), and was given a matcher_test.mute")
	})
}

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
		{199 * ms, unix.EHOSTUNREACH, false, "Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit failed with EHOSTUNREACH, after 199ms: too early\n[timeline: connecting: EHOSTUNREACH]"},
		{200 * ms, unix.EHOSTUNREACH, true, "Expected client not to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit failed with EHOSTUNREACH, after 200ms: in time\n[timeline: connecting: EHOSTUNREACH]"},
		{300 * ms, unix.EHOSTUNREACH, true, "Expected client not to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit failed with EHOSTUNREACH, after 300ms: in time\n[timeline: connecting: EHOSTUNREACH]"},
		{301 * ms, unix.EHOSTUNREACH, false, "Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit failed with EHOSTUNREACH, after 301ms: too late\n[timeline: connecting: EHOSTUNREACH]"},
		{250 * ms, unix.ECONNREFUSED, false, "Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit failed with ECONNREFUSED instead, after 250ms: in time\n[timeline: connecting: ECONNREFUSED]"},
		{250 * ms, nil, false, "Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit connected instead, after 250ms: in time\n[timeline: connecting: done]"},
		{250 * ms, os.ErrClosed, false, "Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit was closed by this side itself, after 250ms: in time\n[timeline: connecting: file already closed]"},
		{never, errors.New("not reached"), false, "Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit was still connecting when the matcher stopped waiting, after 800ms\n[timeline: connecting: not done yet]"},
	} {
		t.Run(fmt.Sprint(c.after, c.err), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				says(t, matcher.FailToConnect(unix.EHOSTUNREACH, window()), reading(c.after, 0, c.err), c.matches, c.text)
			})
		})
	}
}

func TestAnAttemptThatHadFailedWhenTheMatcherStartedTooLateIsNotCalledLate(t *testing.T) {
	clock(t, func(t *testing.T) {
		when := window()
		time.Sleep(400 * ms)
		says(t, matcher.FailToConnect(unix.EHOSTUNREACH, when), reading(0, 0, unix.EHOSTUNREACH), false,
			"Expected client to fail to connect with EHOSTUNREACH\n  between 200ms and 300ms after the instant given;\nit failed with EHOSTUNREACH, after 400ms: when it came is unknown, because the matcher began to look only after 400ms\n[timeline: connecting: EHOSTUNREACH]")
	})
}

func TestWhatDoesNotConnectIsRefused(t *testing.T) {
	clock(t, func(t *testing.T) {
		refuses(t, matcher.FailToConnect(unix.ECONNREFUSED, matcher.Within(s)), mute{},
			"this matcher waits until a socket is connected (a harness.Conn or sock.Conn), but was given a matcher_test.mute")
	})
}

package matcher_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
)

func TestAProgramMustAnnounceInItsWindow(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		matches bool
		text    string
	}{
		{-ms, false, "Expected the client's program to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit first did so 1ms before: too early\n[timeline: ]"},
		{199 * ms, false, "Expected the client's program to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit first did so after 199ms: too early\n[timeline: ]"},
		{200 * ms, true, "Expected the client's program not to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit first did so after 200ms: in time\n[timeline: ]"},
		{300 * ms, true, "Expected the client's program not to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit first did so after 300ms: in time\n[timeline: ]"},
		// The time that counts is the program's, not the one at which it was asked.
		{300*ms + 1, false, "Expected the client's program to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit first did so after 300.000001ms: too late\n[timeline: ]"},
		{301 * ms, false, "Expected the client's program to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit first did so after 301ms: too late\n[timeline: ]"},
		{never, false, "Expected the client's program to report \"silent\"\n  between 200ms and 300ms after the instant given;\nit had not when the matcher stopped waiting, after 800ms\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				p := &program{named: named{name: "the client's program"}, event: "silent", at: time.Now().Add(c.after)}
				says(t, matcher.Announce("silent", window()), p, c.matches, c.text)
			})
		})
	}
}

func TestAnotherEventIsNotTheAnnouncement(t *testing.T) {
	clock(t, func(t *testing.T) {
		p := &program{named: named{name: "the server's program"}, event: "connected", at: time.Now()}
		says(t, matcher.Announce("closed", matcher.Within(s)), p, false,
			"Expected the server's program to report \"closed\"\n  within 1s from now;\nit had not when the matcher stopped waiting, after 1.5s\n[timeline: ]")
	})
}

func TestAnErrnoMustBeTheOneAnnounced(t *testing.T) {
	for _, c := range []struct {
		text    string
		after   time.Duration
		matches bool
		says    string
	}{
		{"ECONNRESET", 200 * ms, true, "Expected the client's program not to report \"failed\" with ECONNRESET\n  between 200ms and 300ms after the instant given;\nit first did so with ECONNRESET, after 200ms: in time\n[timeline: ]"},
		{"ECONNRESET", 301 * ms, false, "Expected the client's program to report \"failed\" with ECONNRESET\n  between 200ms and 300ms after the instant given;\nit first did so with ECONNRESET, after 301ms: too late\n[timeline: ]"},
		{"EPIPE", 200 * ms, false, "Expected the client's program to report \"failed\" with ECONNRESET\n  between 200ms and 300ms after the instant given;\nit first did so with EPIPE instead, after 200ms: in time\n[timeline: ]"},
		{"", 200 * ms, false, "Expected the client's program to report \"failed\" with ECONNRESET\n  between 200ms and 300ms after the instant given;\nit first did so without an errno, after 200ms: in time\n[timeline: ]"},
		{"ECONNRESET", never, false, "Expected the client's program to report \"failed\" with ECONNRESET\n  between 200ms and 300ms after the instant given;\nit had not when the matcher stopped waiting, after 800ms\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.text, c.after), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				p := &program{named: named{name: "the client's program"}, event: "failed", text: c.text, at: time.Now().Add(c.after)}
				says(t, matcher.AnnounceErrno("failed", unix.ECONNRESET, window()), p, c.matches, c.says)
			})
		})
	}
}

func TestWhatAnnouncesNothingIsRefused(t *testing.T) {
	clock(t, func(t *testing.T) {
		const text = "this matcher waits for the event of a program (a harness.Program), but was given a *matcher_test.connection"
		refuses(t, matcher.Announce("closed", matcher.Within(s)), client(), text)
		refuses(t, matcher.GoWithout("closed", s), client(), text)
	})
}

func TestAProgramGoesWithoutAnEvent(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		matches bool
		text    string
	}{
		{-ms, false, "Expected the client's program to go without reporting \"failed\" for 1s; it had done so already, 1ms before\n[timeline: ]"},
		{500 * ms, false, "Expected the client's program to go without reporting \"failed\" for 1s; it did so after 500ms\n[timeline: ]"},
		{s, false, "Expected the client's program to go without reporting \"failed\" for 1s; it did so after 1s\n[timeline: ]"},
		{s + 1, true, "Expected the client's program to report \"failed\" in the next 1s; it did not\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				p := &program{named: named{name: "the client's program"}, event: "failed", at: time.Now().Add(c.after)}
				says(t, matcher.GoWithout("failed", s), p, c.matches, c.text)
			})
		})
	}
}

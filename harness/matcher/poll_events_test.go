package matcher_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
)

func TestPollEventsMustComeInTheirWindow(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		then    matcher.PollEvents
		matches bool
		text    string
	}{
		{199 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, false, "Expected poll to report exactly POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms after the instant given;\nit reported\n  POLLOUT at the first look, after 0s: without POLLIN|POLLRDHUP\n  POLLIN|POLLOUT|POLLRDHUP after 199ms: too early\n[timeline: ]"},
		{200 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, true, "Expected poll not to report exactly POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms after the instant given;\nit reported\n  POLLOUT at the first look, after 0s: without POLLIN|POLLRDHUP\n  POLLIN|POLLOUT|POLLRDHUP after 200ms: in time\n[timeline: ]"},
		{300 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, true, "Expected poll not to report exactly POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms after the instant given;\nit reported\n  POLLOUT at the first look, after 0s: without POLLIN|POLLRDHUP\n  POLLIN|POLLOUT|POLLRDHUP after 300ms: in time\n[timeline: ]"},
		{301 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, false, "Expected poll to report exactly POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms after the instant given;\nit reported\n  POLLOUT at the first look, after 0s: without POLLIN|POLLRDHUP\n  POLLIN|POLLOUT|POLLRDHUP after 301ms: too late\n[timeline: ]"},
		// One event more than expected is not what was expected.
		{200 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP | unix.POLLERR, false, "Expected poll to report exactly POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms after the instant given;\nit reported\n  POLLOUT at the first look, after 0s: without POLLIN|POLLRDHUP\n  POLLIN|POLLOUT|POLLRDHUP|POLLERR after 200ms: in time, but with POLLERR besides\n  POLLIN|POLLOUT|POLLRDHUP|POLLERR still when the matcher stopped looking, after 800ms\n[timeline: ]"},
		{never, 0, false, "Expected poll to report exactly POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms after the instant given;\nit reported\n  POLLOUT at the first look, after 0s: without POLLIN|POLLRDHUP\n  POLLOUT still when the matcher stopped looking, after 800ms\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.after, c.then), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				polled := client()
				polled.comes, polled.events, polled.then = c.after, unix.POLLOUT, c.then
				says(t, matcher.HavePollEvents(unix.POLLOUT|unix.POLLIN|unix.POLLRDHUP, window()), polled, c.matches, c.text)
				if polled.asked != unix.POLLIN|unix.POLLOUT|unix.POLLRDHUP {
					t.Errorf("poll was asked for %v", matcher.PollEvents(polled.asked))
				}
			})
		})
	}
}

// Other events that came in time are not called late.
func TestOtherPollEventsAreNamedWithTheTimeAtWhichTheyCame(t *testing.T) {
	const both = unix.POLLERR | unix.POLLHUP
	for _, c := range []struct {
		what          string
		matcher       func(matcher.Deadline) types.GomegaMatcher
		before        time.Duration // from the instant given until the matcher starts
		first, then   matcher.PollEvents
		comes         time.Duration // from the start of the matcher until then
		header, lines string
	}{
		{"more events", exactly(both), 0, 0, both | unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP, 250 * ms, "exactly POLLHUP|POLLERR",
			"none at the first look, after 0s: without POLLHUP|POLLERR\n  POLLIN|POLLOUT|POLLRDHUP|POLLHUP|POLLERR after 250ms: in time, but with POLLIN|POLLOUT|POLLRDHUP besides\n  POLLIN|POLLOUT|POLLRDHUP|POLLHUP|POLLERR still when the matcher stopped looking, after 800ms"},
		{"fewer events", exactly(both), 0, 0, unix.POLLHUP, 250 * ms, "exactly POLLHUP|POLLERR",
			"none at the first look, after 0s: without POLLHUP|POLLERR\n  POLLHUP after 250ms: in time, but without POLLERR\n  POLLHUP still when the matcher stopped looking, after 800ms"},
		{"other events, too early", exactly(both), 0, 0, unix.POLLHUP | unix.POLLIN, 100 * ms, "exactly POLLHUP|POLLERR",
			"none at the first look, after 0s: without POLLHUP|POLLERR\n  POLLIN|POLLHUP after 100ms: too early, and without POLLERR and with POLLIN besides\n  POLLIN|POLLHUP still when the matcher stopped looking, after 800ms"},
		{"more events, before the matcher started", exactly(both), 250 * ms, both | unix.POLLIN, both | unix.POLLIN, 0, "exactly POLLHUP|POLLERR",
			"POLLIN|POLLHUP|POLLERR at the first look, after 250ms: with POLLIN besides\n  POLLIN|POLLHUP|POLLERR still when the matcher stopped looking, after 800ms"},
		{"the events, and a matcher that started after the window", exactly(both), 400 * ms, both, both, 0, "exactly POLLHUP|POLLERR",
			"POLLHUP|POLLERR after 400ms: when it came is unknown, because the matcher began to look only after 400ms"},
		{"events without data", matcher.BeReadable, 0, 0, both, 250 * ms, "POLLIN",
			"none at the first look, after 0s: without POLLIN\n  POLLHUP|POLLERR after 250ms: in time, but without POLLIN\n  POLLHUP|POLLERR still when the matcher stopped looking, after 800ms"},
	} {
		t.Run(c.what, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				when := window()
				time.Sleep(c.before)
				polled := client()
				polled.comes, polled.events, polled.then = c.comes, c.first, c.then
				says(t, c.matcher(when), polled, false,
					"Expected poll to report "+c.header+" for client\n  between 200ms and 300ms after the instant given;\nit reported\n  "+c.lines+"\n[timeline: ]")
			})
		})
	}
}

func exactly(events matcher.PollEvents) func(matcher.Deadline) types.GomegaMatcher {
	return func(when matcher.Deadline) types.GomegaMatcher { return matcher.HavePollEvents(events, when) }
}

// poll(2): POLLERR and POLLHUP are reported whether asked for or not; tcp_poll
// (net/ipv4/tcp.c) adds them to POLLIN after an RST, and POLLHUP when both sides
// have closed.
func TestReadableMeansThatAReadWouldNotBlock(t *testing.T) {
	for events, readable := range map[matcher.PollEvents]bool{
		0:                          false,
		unix.POLLIN:                true,
		unix.POLLIN | unix.POLLHUP: true,
		unix.POLLIN | unix.POLLERR: true,
		unix.POLLIN | unix.POLLERR | unix.POLLHUP: true,
	} {
		t.Run(events.String(), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				polled := client()
				polled.events = events
				if got, err := matcher.BeReadable(matcher.Within(s)).Match(polled); got != readable || err != nil {
					t.Errorf("poll reports %v: %v, %v; expected %v: a read would not block", events, got, err, readable)
				}
				if polled.asked != unix.POLLIN {
					t.Errorf("poll was asked for %v", matcher.PollEvents(polled.asked))
				}
			})
		})
	}
}

func TestPollEventsAreNamedAsInPoll2(t *testing.T) {
	for events, want := range map[matcher.PollEvents]string{
		0: "none",
		unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP | unix.POLLHUP | unix.POLLERR | unix.POLLNVAL: "POLLIN|POLLOUT|POLLRDHUP|POLLHUP|POLLERR|POLLNVAL",
		unix.POLLNVAL: "POLLNVAL",
	} {
		if got := events.String(); got != want {
			t.Errorf("%#x: %s, expected %s", int16(events), got, want)
		}
	}
}

func TestWhatCannotBePolledIsRefused(t *testing.T) {
	const text = "this matcher polls a socket (a harness.Conn or sock.Conn), but was given a matcher_test.mute"
	clock(t, func(t *testing.T) {
		refuses(t, matcher.HavePollEvents(unix.POLLIN, matcher.Within(s)), mute{}, text)
		refuses(t, matcher.BeReadable(matcher.Within(s)), mute{}, text)

		closed := client()
		closed.pollErr = unix.EBADF
		refuses(t, matcher.BeReadable(matcher.Within(s)), closed, "polling client: bad file descriptor")
	})
}

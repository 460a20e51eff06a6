package matcher_test

import (
	"fmt"
	"testing"
	"time"

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
		{199 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, false, "Expected poll to report POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms since the instant given;\nit reported\n  POLLIN|POLLOUT|POLLRDHUP, after 199ms: too early.\n[timeline: ]"},
		{200 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, true, "Expected poll not to report POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms since the instant given;\nit reported\n  POLLIN|POLLOUT|POLLRDHUP, after 200ms: in time.\n[timeline: ]"},
		{300 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, true, "Expected poll not to report POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms since the instant given;\nit reported\n  POLLIN|POLLOUT|POLLRDHUP, after 300ms: in time.\n[timeline: ]"},
		{301 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP, false, "Expected poll to report POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms since the instant given;\nit reported\n  POLLIN|POLLOUT|POLLRDHUP, after 301ms: too late.\n[timeline: ]"},
		// One event more than expected is not what was expected.
		{200 * ms, unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP | unix.POLLERR, false, "Expected poll to report POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms since the instant given;\nit reported\n  POLLIN|POLLOUT|POLLRDHUP|POLLERR, after 800ms: too late.\n[timeline: ]"},
		{never, 0, false, "Expected poll to report POLLIN|POLLOUT|POLLRDHUP for client\n  between 200ms and 300ms since the instant given;\nit reported\n  POLLOUT, after 800ms: too late.\n[timeline: ]"},
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
	const text = "this matcher polls a socket (a harness.Conn or sock.Conn), and was given a matcher_test.mute"
	clock(t, func(t *testing.T) {
		refuses(t, matcher.HavePollEvents(unix.POLLIN, matcher.Within(s)), mute{}, text)
		refuses(t, matcher.BeReadable(matcher.Within(s)), mute{}, text)

		closed := client()
		closed.pollErr = unix.EBADF
		refuses(t, matcher.BeReadable(matcher.Within(s)), closed, "polling client: bad file descriptor")
	})
}

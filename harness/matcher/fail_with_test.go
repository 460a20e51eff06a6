package matcher_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/matcher"
)

func TestAnErrnoMustComeInItsWindow(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		matches bool
		text    string
	}{
		{199 * ms, false, "Expected client to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET, after 199ms: too early\n[timeline: reads: ECONNRESET]"},
		{200 * ms, true, "Expected client not to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET, after 200ms: in time\n[timeline: reads: ECONNRESET]"},
		{300 * ms, true, "Expected client not to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET, after 300ms: in time\n[timeline: reads: ECONNRESET]"},
		{301 * ms, false, "Expected client to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET, after 301ms: too late\n[timeline: reads: ECONNRESET]"},
		{never, false, "Expected client to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  nothing (no data, no zero-read, no error) until the matcher stopped waiting, after 800ms\n[timeline: ]"},
	} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			clock(t, func(t *testing.T) {
				says(t, matcher.FailWith(unix.ECONNRESET, window()), reading(c.after, 0, unix.ECONNRESET), c.matches, c.text)
			})
		})
	}
}

func TestFailWithIsNotMetByAnythingElse(t *testing.T) {
	for what, c := range map[string]struct {
		n    int
		err  error
		seen string
	}{
		"another errno": {0, unix.ETIMEDOUT, "ETIMEDOUT"},
		"the zero-read": {0, nil, "0: the zero-read"},
		"data":          {5, nil, "5 bytes of data"},
	} {
		t.Run(what, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				began := time.Now()
				says(t, matcher.FailWith(unix.ECONNRESET, matcher.Within(s)), reading(10*ms, c.n, c.err), false,
					"Expected client to fail with ECONNRESET\n  within 1s from now;\nreading it gave\n  "+c.seen+" instead, after 10ms: in time\n[timeline: reads: "+c.seen+"]")
				if waited := time.Since(began); waited != 10*ms {
					t.Errorf("%s came after 10ms and the matcher waited %v", what, waited)
				}
			})
		})
	}
}

func TestAReadOfASocketThatTheSpecClosedSaysSo(t *testing.T) {
	clock(t, func(t *testing.T) {
		c := reading(10*ms, 0, nil)
		c.waiting = os.ErrClosed
		says(t, matcher.FailWith(unix.ECONNRESET, matcher.Within(s)), c, false,
			"Expected client to fail with ECONNRESET\n  within 1s from now;\nreading it gave\n  the error that this side has closed the socket itself instead, after 10ms: in time\n[timeline: ]")
	})
}

// The kernel may wake a reader although there is nothing to read (select(2), BUGS).
func TestASpuriousWakeUpIsNoOutcome(t *testing.T) {
	clock(t, func(t *testing.T) {
		c := reading(250*ms, 0, unix.ECONNRESET)
		c.spurious = 2
		if ok, err := matcher.FailWith(unix.ECONNRESET, window()).Match(c); !ok || err != nil {
			t.Errorf("ECONNRESET behind two EAGAIN: %v, %v; expected a match", ok, err)
		}
	})
}

func TestReadZeroIsMetByTheZeroReadOnly(t *testing.T) {
	for _, c := range []struct {
		what    string
		after   time.Duration
		n       int
		err     error
		matches bool
		text    string
	}{
		{"early", 199 * ms, 0, nil, false, "Expected client to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  0: the zero-read, after 199ms: too early\n[timeline: reads: 0: the zero-read]"},
		{"first", 200 * ms, 0, nil, true, "Expected client not to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  0: the zero-read, after 200ms: in time\n[timeline: reads: 0: the zero-read]"},
		{"last", 300 * ms, 0, nil, true, "Expected client not to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  0: the zero-read, after 300ms: in time\n[timeline: reads: 0: the zero-read]"},
		{"late", 301 * ms, 0, nil, false, "Expected client to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  0: the zero-read, after 301ms: too late\n[timeline: reads: 0: the zero-read]"},
		{"errno", 250 * ms, 0, unix.ECONNRESET, false, "Expected client to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET instead, after 250ms: in time\n[timeline: reads: ECONNRESET]"},
		{"data", 250 * ms, 1, nil, false, "Expected client to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  1 byte of data instead, after 250ms: in time\n[timeline: reads: 1 byte of data]"},
		{"nothing", never, 0, nil, false, "Expected client to read 0, the peer's orderly close\n  between 200ms and 300ms after the instant given;\nreading it gave\n  nothing (no data, no zero-read, no error) until the matcher stopped waiting, after 800ms\n[timeline: ]"},
	} {
		t.Run(c.what, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				says(t, matcher.ReadZero(window()), reading(c.after, c.n, c.err), c.matches, c.text)
			})
		})
	}
}

// As with a state: see TestWhatHappenedWhileNobodyLookedIsNotTooLate.
func TestAReadThatReturnsLateIsNotTooLateForThat(t *testing.T) {
	for asleep, want := range map[time.Duration]bool{250 * ms: true, 150 * ms: false} {
		clock(t, func(t *testing.T) {
			connection := reading(290*ms, 0, unix.ECONNRESET)
			connection.asleep = asleep
			if ok, err := matcher.FailWith(unix.ECONNRESET, window()).Match(connection); ok != want || err != nil {
				t.Errorf("a wait that ended after %v and returned 200ms later: %v, %v; expected %v", asleep, ok, err, want)
			}
		})
	}
}

func TestAnErrnoThatWasThereWhenTheMatcherStartedTooLateIsNotCalledLate(t *testing.T) {
	clock(t, func(t *testing.T) {
		when := window()
		time.Sleep(400 * ms)
		says(t, matcher.FailWith(unix.ECONNRESET, when), reading(0, 0, unix.ECONNRESET), false,
			"Expected client to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET, after 400ms: when it came is unknown, because the matcher began to look only after 400ms\n[timeline: reads: ECONNRESET]")
	})
}

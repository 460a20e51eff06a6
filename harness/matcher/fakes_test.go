// Package matcher_test runs the matchers on fakes, in a bubble with a fake clock
// (testing/synctest): instants are exact, so that tests try both edges of a window to the
// millisecond, and waiting takes no time.
package matcher_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

const (
	ms = time.Millisecond
	s  = time.Second

	never = time.Hour // longer than any matcher waits
)

// window returns the window of most tests, counted from now.
func window() matcher.Deadline {
	return matcher.During(oracle.Window{Earliest: 200 * ms, Latest: 300 * ms}, time.Now())
}

// named is what all fakes have in common: a name and a timeline.
type named struct {
	name   string
	events []string
}

func (n *named) String() string     { return n.name }
func (n *named) Record(what string) { n.events = append(n.events, what) }
func (n *named) Recent() string     { return "[timeline: " + strings.Join(n.events, "; ") + "]" }

// connection is a Reader, a Stater, a Connector and a Poller that does what its fields say. Its
// clock starts with the first call.
type connection struct {
	named
	began time.Time

	comes    time.Duration // when a read, or connect(2), comes to its outcome
	n        int
	err      error
	waiting  error // the error of AwaitReadable; nil: it succeeds
	spurious int   // how many reads return EAGAIN first
	reads    int

	state    sock.State
	changes  time.Duration // when the state becomes …
	becomes  sock.State    // … this, unless it is zero
	stateErr error
	asleep   time.Duration // the first look or wait that ends from then on takes 200 ms longer

	events  matcher.PollEvents // what poll(2) reports until the outcome comes, and …
	then    matcher.PollEvents // … from then on
	asked   int16
	pollErr error
}

func client() *connection { return &connection{named: named{name: "client"}, comes: never} }

// reading returns a connection whose read returns n and err from some time on.
func reading(after time.Duration, n int, err error) *connection {
	c := client()
	c.comes, c.n, c.err, c.state = after, n, err, sock.Established
	return c
}

func (c *connection) since() time.Duration {
	if c.began.IsZero() {
		c.began = time.Now()
	}
	return time.Since(c.began)
}

// sleep plays a busy machine, on which the process waits for a processor.
func (c *connection) sleep() {
	if c.asleep > 0 && c.since() >= c.asleep {
		c.asleep = 0
		time.Sleep(200 * ms)
	}
}

func (c *connection) await(ctx context.Context) error {
	defer c.sleep()
	select {
	case <-time.After(c.comes - c.since()):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *connection) AwaitReadable(ctx context.Context) error {
	if err := c.await(ctx); err != nil {
		return err
	}
	return c.waiting
}

func (c *connection) Receive([]byte) (int, error) {
	if c.since() < c.comes {
		return 0, unix.EAGAIN
	}
	if c.reads++; c.reads <= c.spurious {
		return 0, unix.EAGAIN
	}
	return c.n, c.err
}

func (c *connection) AwaitConnected(ctx context.Context) error {
	if err := c.await(ctx); err != nil {
		return err
	}
	return c.err
}

func (c *connection) State() (sock.State, error) {
	c.sleep()
	if c.since() >= c.changes && c.becomes != 0 {
		return c.becomes, c.stateErr
	}
	return c.state, c.stateErr
}

func (c *connection) Poll(events int16) (int16, error) {
	c.asked = events
	if c.since() >= c.comes {
		return int16(c.then), c.pollErr
	}
	return int16(c.events), c.pollErr
}

// program is an Announcer that reports one event at an instant.
type program struct {
	named
	event string
	text  string // with the event
	at    time.Time
}

func (p *program) AwaitUntil(event string, until time.Time) (peer.Event, bool) {
	if event != p.event || p.at.After(until) {
		time.Sleep(time.Until(until))
		return peer.Event{}, false
	}
	time.Sleep(time.Until(p.at))
	return peer.Event{Name: event, Text: p.text, At: p.at}, true
}

// station is a Station whose packets pass at their instants.
type station struct {
	named
	packets []capture.Packet // in order
}

func (h *station) AwaitSent(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.await(count, match, until, true)
}

func (h *station) AwaitReceived(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.await(count, match, until, false)
}

func (h *station) await(count int, match capture.Match, until time.Time, out bool) (found []capture.Packet) {
	for _, p := range h.packets {
		if p.Out != out || !match.Matches(p) {
			continue
		}
		if p.At.After(time.Now()) {
			if len(found) >= count || p.At.After(until) {
				break
			}
			time.Sleep(time.Until(p.At))
		}
		found = append(found, p)
	}
	if len(found) < count {
		time.Sleep(time.Until(until))
	}
	return found
}

// says checks whether the matcher matches, and the whole text with which a spec would fail: that
// of Expect(…).To where it does not match, that of Expect(…).NotTo where it does.
func says(t *testing.T, m types.GomegaMatcher, actual any, matches bool, text string) {
	t.Helper()
	got, err := m.Match(actual)
	if err != nil || got != matches {
		t.Errorf("Match: %v, %v; expected %v", got, err, matches)
	}
	message := m.FailureMessage(actual)
	if matches {
		message = m.NegatedFailureMessage(actual)
	}
	if message != text {
		t.Errorf("the text is\n%s\nexpected\n%s", message, text)
	}
}

// refuses checks the error of a matcher that is used wrongly, and that it comes without a wait.
func refuses(t *testing.T, m types.GomegaMatcher, actual any, text string) {
	t.Helper()
	began := time.Now()
	if got, err := m.Match(actual); got || err == nil || err.Error() != text {
		t.Errorf("Match: %v, %v; expected the error\n%s", got, err, text)
	}
	if waited := time.Since(began); waited > 0 {
		t.Errorf("the matcher waited %v before it refused", waited)
	}
}

// clock runs a test with a fake clock, which moves only while all goroutines wait.
func clock(t *testing.T, test func(*testing.T)) { t.Helper(); synctest.Test(t, test) }

package matcher

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"
)

// PollEvents is a set of the events of poll(2), which epoll(7) names EPOLL…. The zero value is
// no event.
type PollEvents int16

var pollEventNames = []struct {
	event PollEvents
	name  string
}{
	{unix.POLLIN, "POLLIN"}, {unix.POLLOUT, "POLLOUT"}, {unix.POLLRDHUP, "POLLRDHUP"},
	{unix.POLLHUP, "POLLHUP"}, {unix.POLLERR, "POLLERR"}, {unix.POLLNVAL, "POLLNVAL"},
}

// String returns the events' names: "POLLIN|POLLRDHUP", "none".
func (e PollEvents) String() string {
	var names []string
	for _, event := range pollEventNames {
		if e&event.event != 0 {
			names = append(names, event.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, "|")
}

// Poller is a socket that poll(2) can be called for: harness.Conn, harness.Association and
// those of package sock.
type Poller interface {
	Poll(events int16) (int16, error)
}

// HavePollEvents succeeds when poll(2) reports exactly these events in time. The matcher asks
// for POLLIN, POLLOUT and POLLRDHUP; the kernel adds POLLHUP and POLLERR unasked.
func HavePollEvents(events PollEvents, when Deadline) types.GomegaMatcher {
	return &havePollEvents{want: events, asked: unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP, watch: watch[PollEvents]{when: when}}
}

// BeReadable succeeds when a read would not block in time: data has come, the zero-read, or an
// error. It reads nothing.
func BeReadable(when Deadline) types.GomegaMatcher {
	return &havePollEvents{want: unix.POLLIN, asked: unix.POLLIN, more: true, watch: watch[PollEvents]{when: when}}
}

type havePollEvents struct {
	want, asked PollEvents
	more        bool // other events may come with them
	watch       watch[PollEvents]
}

// Match implements types.GomegaMatcher.
func (m *havePollEvents) Match(actual any) (bool, error) {
	p, ok := actual.(Poller)
	if !ok {
		return false, fmt.Errorf("this matcher polls a socket (a harness.Conn or sock.Conn), but was given a %T", actual)
	}
	return m.watch.until(func(got PollEvents) bool { return m.differs(got) == "" }, func() (PollEvents, error) {
		got, err := p.Poll(int16(m.asked))
		if err != nil {
			return 0, fmt.Errorf("polling %s: %w", name(actual), err)
		}
		return PollEvents(got), nil
	})
}

// differs says what distinguishes events from those wanted; "" for those wanted.
func (m *havePollEvents) differs(got PollEvents) string {
	missing, besides := m.want&^got, got&^m.want
	if m.more {
		besides = 0
	}
	switch {
	case missing != 0 && besides != 0:
		return fmt.Sprintf("without %v and with %v besides", missing, besides)
	case missing != 0:
		return fmt.Sprintf("without %v", missing)
	case besides != 0:
		return fmt.Sprintf("with %v besides", besides)
	}
	return ""
}

// FailureMessage implements types.GomegaMatcher.
func (m *havePollEvents) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *havePollEvents) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *havePollEvents) message(to string, actual any) string {
	exactly := "exactly "
	if m.more {
		exactly = ""
	}
	expected := fmt.Sprintf("Expected poll %s report %s%v for %s", to, exactly, m.want, name(actual))
	m.watch.when.judged(actual, expected, m.watch.ended)
	return fmt.Sprintf("%s\n  %v;\nit reported%s%s", expected, m.watch.when, m.watch.describe(m.differs), recent(actual))
}

package matcher

import (
	"fmt"
	"strings"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"
)

// PollEvents is a set of poll(2) events; epoll(7) has the same under EPOLL….
type PollEvents int16

var pollEventNames = []struct {
	event PollEvents
	name  string
}{
	{unix.POLLIN, "POLLIN"}, {unix.POLLOUT, "POLLOUT"}, {unix.POLLRDHUP, "POLLRDHUP"},
	{unix.POLLHUP, "POLLHUP"}, {unix.POLLERR, "POLLERR"}, {unix.POLLNVAL, "POLLNVAL"},
}

// String names the events: "POLLIN|POLLRDHUP".
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

// Poller is a socket that can be polled: harness.Conn and sock.Conn can.
type Poller interface {
	Poll(events int16) (int16, error)
}

// HavePollEvents succeeds when poll(2), asked for everything, reports exactly
// these events, in time. POLLHUP and POLLERR come unasked.
func HavePollEvents(events PollEvents, when Deadline) types.GomegaMatcher {
	return &havePollEvents{want: events, asked: unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP, when: when}
}

// BeReadable succeeds when a read would not block, in time: there is data, the
// zero-read or an error. It consumes nothing.
func BeReadable(when Deadline) types.GomegaMatcher {
	return &havePollEvents{want: unix.POLLIN, asked: unix.POLLIN, more: true, when: when}
}

type havePollEvents struct {
	want, asked PollEvents
	more        bool // others may come with them
	when        Deadline
	got         PollEvents
	at          time.Time
	missed      time.Time // when the last look began that did not find them
}

// Match implements types.GomegaMatcher.
func (m *havePollEvents) Match(actual any) (bool, error) {
	p, ok := actual.(Poller)
	if !ok {
		return false, fmt.Errorf("this matcher polls a socket (a harness.Conn or sock.Conn), and was given a %T", actual)
	}
	m.when = m.when.start()
	for {
		looking := time.Now()
		got, err := p.Poll(int16(m.asked))
		if err != nil {
			return false, fmt.Errorf("polling %s: %w", name(actual), err)
		}
		m.got, m.at = PollEvents(got), time.Now()
		if m.got == m.want || m.more && m.got&m.want == m.want {
			return m.when.includesBetween(m.missed, m.at), nil
		}
		m.missed = looking
		if m.at.After(m.when.deadline()) {
			return false, nil
		}
		time.Sleep(m.when.pause())
	}
}

// FailureMessage implements types.GomegaMatcher.
func (m *havePollEvents) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected poll to report %v for %s\n  %v;\nit reported\n  %v, %s.%s",
		m.want, name(actual), m.when, m.got, m.when.verdict(m.at), recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *havePollEvents) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected poll not to report %v for %s\n  %v;\nit reported\n  %v, %s.%s",
		m.want, name(actual), m.when, m.got, m.when.verdict(m.at), recent(actual))
}

package matcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// FailWith succeeds when reading the connection fails with the errno in time:
//
//	Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
//
// Data, the zero-read and another errno end the wait and do not match.
func FailWith(errno unix.Errno, when Deadline) types.GomegaMatcher {
	return &reads{
		what:  fmt.Sprintf("fail with %s", sock.ErrnoName(errno)),
		when:  when,
		match: func(r reading) bool { return errors.Is(r.err, errno) },
	}
}

// ReadZero succeeds when reading the connection returns 0 bytes in time: the peer has sent FIN,
// and everything before it was read. Data and an errno end the wait and do not match.
func ReadZero(when Deadline) types.GomegaMatcher {
	return &reads{
		what:  "read 0, the peer's orderly close",
		when:  when,
		match: func(r reading) bool { return !r.never && r.err == nil && r.n == 0 },
	}
}

// reads is a matcher for the outcome of one read that waits.
type reads struct {
	what   string
	when   Deadline
	match  func(reading) bool
	got    reading
	missed time.Time // when the last look began that found nothing to read
}

// Match implements types.GomegaMatcher.
func (m *reads) Match(actual any) (bool, error) {
	r, err := asReader(actual)
	if err != nil {
		return false, err
	}
	m.when = m.when.start()
	for _, until := range m.when.looks() {
		if m.got = read(r, until); !m.got.never {
			break
		}
		// The wait may have ended late: something may have come since.
		looking := time.Now()
		if m.got = look(r); !m.got.never {
			break
		}
		m.missed = looking
	}
	return m.match(m.got) && m.when.includesBetween(m.missed, m.got.at), nil
}

// looks returns the instants at which a matcher that waits looks besides: when the window
// opens, as soon as it has closed, and when the matcher stops waiting.
func (w Deadline) looks() []time.Time {
	looks := []time.Time{w.since.Add(w.window.Latest + 1), w.end()}
	if w.window.Earliest > 0 {
		looks = append([]time.Time{w.since.Add(w.window.Earliest)}, looks...)
	}
	return looks
}

// FailureMessage implements types.GomegaMatcher.
func (m *reads) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *reads) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *reads) message(to string, actual any) string {
	expected := fmt.Sprintf("Expected %s %s %s", name(actual), to, m.what)
	m.when.judged(actual, expected, m.got.at)
	return fmt.Sprintf("%s\n  %v;\nreading it gave\n  %v%s", expected, m.when, m.outcome(), recent(actual))
}

func (m *reads) outcome() string {
	switch {
	case m.got.never:
		return fmt.Sprintf("%v until the matcher stopped waiting, %s", m.got, m.when.after(m.got.at))
	case !m.match(m.got):
		return fmt.Sprintf("%v instead, %s", m.got, m.when.verdictBetween(m.missed, m.got.at))
	}
	return fmt.Sprintf("%v, %s", m.got, m.when.verdictBetween(m.missed, m.got.at))
}

package matcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// FailWith succeeds when reading the connection fails with the errno, in time:
//
//	Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
//
// It waits; data and the zero-read end the wait and do not match.
func FailWith(errno unix.Errno, when Deadline) types.GomegaMatcher {
	return &reads{
		what:  fmt.Sprintf("fail with %s", sock.ErrnoName(errno)),
		when:  when,
		match: func(r reading) bool { return errors.Is(r.err, errno) },
	}
}

// ReadZero succeeds when reading the connection returns 0, in time: the peer has
// closed in order.
func ReadZero(when Deadline) types.GomegaMatcher {
	return &reads{
		what:  "read 0, the peer's orderly close",
		when:  when,
		match: func(r reading) bool { return !r.never && r.err == nil && r.n == 0 },
	}
}

// reads is a matcher for the outcome of one read that waits.
type reads struct {
	what  string
	when  Deadline
	match func(reading) bool
	got   reading
}

// Match implements types.GomegaMatcher.
func (m *reads) Match(actual any) (bool, error) {
	r, err := asReader(actual)
	if err != nil {
		return false, err
	}
	m.when = m.when.start()
	var missed time.Time
	for _, until := range m.when.looks() {
		if m.got = read(r, until); !m.got.never {
			break
		}
		// The wait may have ended late, and something have come meanwhile.
		looking := time.Now()
		if m.got = look(r); !m.got.never {
			break
		}
		missed = looking
	}
	return m.match(m.got) && m.when.includesBetween(missed, m.got.at), nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *reads) FailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s to %s\n  %v;\nreading it gave\n  %v, %s.%s",
		name(actual), m.what, m.when, m.got, m.when.verdict(m.got.at), recent(actual))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *reads) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected %s not to %s\n  %v;\nreading it gave\n  %v, %s.%s",
		name(actual), m.what, m.when, m.got, m.when.verdict(m.got.at), recent(actual))
}

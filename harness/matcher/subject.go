package matcher

import (
	"fmt"
	"time"
)

// name returns what the spec calls the subject of an assertion; its type where it has no name.
func name(actual any) string {
	if s, ok := actual.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", actual)
}

// record adds an event to the subject's timeline, if it has one.
func record(actual any, what string) {
	if r, ok := actual.(interface{ Record(string) }); ok {
		r.Record(what)
	}
}

// judged adds to the subject's timeline, if it has one, what an assertion that has failed
// expected by a deadline, and when it came, or when the matcher gave up.
func (w Deadline) judged(actual any, expected string, at time.Time) {
	j, ok := actual.(interface {
		Judged(expected string, from, to, at time.Time)
	})
	if !ok {
		return
	}
	from := w.since.Add(w.window.Earliest)
	if w.window.Earliest < 0 {
		from = w.began
	}
	j.Judged(expected, from, w.since.Add(w.window.Latest), at)
}

// recent returns the last events of the subject's timeline on lines of their own, if it has
// one.
func recent(actual any) string {
	if r, ok := actual.(interface{ Recent() string }); ok {
		return "\n" + r.Recent()
	}
	return ""
}

package matcher

import "fmt"

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

// recent returns the last events of the subject's timeline on lines of their own, if it has
// one.
func recent(actual any) string {
	if r, ok := actual.(interface{ Recent() string }); ok {
		return "\n" + r.Recent()
	}
	return ""
}

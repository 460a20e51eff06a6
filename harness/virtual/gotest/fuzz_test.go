package gotest

import "testing"

// A pattern that is accepted can be matched, as package testing would do it.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"", "TestA/sub|TestB", "[/]|(a|b)/c", `\`, "(", ")/", "[[:alpha:]/]", "a//b||"} {
		f.Add(text, "TestA")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		p := parsePattern(text)
		if p.check() != nil {
			return
		}
		p.matches(name)
		p.skips(name)
	})
}

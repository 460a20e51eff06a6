package gotest

import (
	"regexp"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/commandline"
)

// pattern is a pattern of test names, as the flags -run and -skip of go test have it:
// alternatives, each with an element for each level of subtests. Without any it is empty.
type pattern [][]string

// parsePattern splits a pattern as package testing does (src/testing/match.go,
// splitRegexp): at / and | outside of brackets.
func parsePattern(text string) (p pattern) {
	if text == "" {
		return nil
	}
	var elements []string
	squares, rounds, begin := 0, 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '[':
			squares++
		case c == ']':
			squares = max(0, squares-1) // one that was not opened stands for itself
		case squares > 0:
		case c == '(':
			rounds++
		case c == ')':
			rounds--
		case rounds == 0 && (c == '/' || c == '|'):
			elements = append(elements, text[begin:i])
			begin = i + 1
			if c == '|' {
				p, elements = append(p, elements), nil
			}
		}
	}
	return append(p, append(elements, text[begin:]))
}

// check returns the first error in an element.
func (p pattern) check() error {
	for _, elements := range p {
		for _, element := range elements {
			if err := commandline.CheckPattern(rewritten(element)); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewritten is an element as it is matched: package testing replaces the spaces in the
// names of subtests.
func rewritten(element string) string { return strings.ReplaceAll(element, " ", "_") }

// matches reports whether a test function may match, or a subtest of it.
func (p pattern) matches(name string) bool {
	for _, elements := range p {
		if regexp.MustCompile(rewritten(elements[0])).MatchString(name) {
			return true
		}
	}
	return len(p) == 0
}

// skips reports whether a test function is left out with all its subtests.
func (p pattern) skips(name string) bool {
	for _, elements := range p {
		if len(elements) == 1 && regexp.MustCompile(rewritten(elements[0])).MatchString(name) {
			return true
		}
	}
	return false
}

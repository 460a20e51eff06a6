package gotest

import (
	"reflect"
	"testing"
)

// The expected elements are those of package testing (src/testing/match_test.go,
// TestSplitRegexp), but that an empty pattern has no alternative.
func TestAPatternIsSplitAsPackageTestingDoes(t *testing.T) {
	for text, expected := range map[string]pattern{
		"":           nil,
		"/":          {{"", ""}},
		"//":         {{"", "", ""}},
		"A":          {{"A"}},
		"A/B":        {{"A", "B"}},
		"A/B/":       {{"A", "B", ""}},
		"/A/B/":      {{"", "A", "B", ""}},
		"[A]/(B)":    {{"[A]", "(B)"}},
		"[/]/[/]":    {{"[/]", "[/]"}},
		"[/]/[:/]":   {{"[/]", "[:/]"}},
		"/]":         {{"", "]"}},
		"]/":         {{"]", ""}},
		"]/[/]":      {{"]", "[/]"}},
		`([)/][(])`:  {{`([)/][(])`}},
		"[(]/[)]":    {{"[(]", "[)]"}},
		"A/B|C/D":    {{"A", "B"}, {"C", "D"}},
		"(A|B)/C":    {{"(A|B)", "C"}},
		`A\/B|[|/]C`: {{`A\/B`}, {"[|/]C"}},
	} {
		if got := parsePattern(text); !reflect.DeepEqual(got, expected) {
			t.Errorf("%q is split into %q, expected %q", text, got, expected)
		}
	}
}

func TestWhichTestsAPatternChooses(t *testing.T) {
	for _, c := range []struct {
		pattern, name      string
		matches, leavesOut bool
	}{
		{"", "TestA", true, false},
		{"A", "TestA", true, true},
		{"^A", "TestA", false, false},
		{"TestA/x", "TestA", true, false}, // a subtest may match, and the others still run
		{"TestB|TestA/x", "TestA", true, false},
		{"TestB/x|TestA", "TestA", true, true},
		{"Test(A|B)$", "TestB", true, true},
	} {
		p := parsePattern(c.pattern)
		if p.matches(c.name) != c.matches || p.skips(c.name) != c.leavesOut {
			t.Errorf("%q and %s: matches %v, skips %v; expected %v, %v", c.pattern, c.name, p.matches(c.name), p.skips(c.name), c.matches, c.leavesOut)
		}
	}
}

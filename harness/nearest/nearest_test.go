package nearest

import (
	"slices"
	"testing"
)

func TestTo(t *testing.T) {
	names := []string{"haproxy", "nginx-stream", "azure-lb", "azure-lb-tcpreset", "cisco-asa"}
	for word, want := range map[string][]string{
		"haprxy":    {"haproxy"},
		"lb":        {"azure-lb", "azure-lb-tcpreset"},
		"Cisco-ASA": {"cisco-asa"},
		"asa":       {"cisco-asa"},
	} {
		if got := To(word, names, len(want)); !slices.Equal(got, want) {
			t.Errorf("nearest to %q: %q, expected %q", word, got, want)
		}
	}
	if got := To("x", []string{"one"}, 3); !slices.Equal(got, []string{"one"}) {
		t.Errorf("of one name: %q", got)
	}
	if got := Quoted("one", []string{"two", "on e"}, 2); got != `"on e", "two"` {
		t.Errorf("quoted: %s", got)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := levenshtein(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %d, expected %d", c.a, c.b, got, c.want)
		}
	}
}

func TestListIsAPartOfASentence(t *testing.T) {
	for want, names := range map[string][]string{
		"":                           nil,
		"the nearest is one":         {"one"},
		"the nearest are one, two":   {"two", "one"},
		"the nearest are one, on, o": {"o", "on", "one", "more"},
	} {
		if got := List("one", names); got != want {
			t.Errorf("%q: %q, expected %q", names, got, want)
		}
	}
}

package root

import (
	"slices"
	"strings"
	"testing"
)

// Words that are joined to a command are split into the same words again.
func FuzzCommand(f *testing.F) {
	for _, text := range []string{"nginx -g 'daemon off;'", `a "b c" d\ e`, "x '", `x \`, "", "a\x00b", "sh -c 'a \"b\" $c'", "a '' \"\"", "a # b", "# a", "'' a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := SplitCommand(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		again, err := SplitCommand(JoinCommand(words))
		if err != nil || !slices.Equal(again, words) {
			t.Errorf("%q is %q, which is joined to %q, which is %q, %v", text, words, JoinCommand(words), again, err)
		}
	})
}

func FuzzTake(f *testing.F) {
	for _, what := range []string{"a", "a:/b", "a:b", ":", "/x:/init", "a:/../b:c", "\x00", "a\nb:c"} {
		f.Add(what)
	}
	f.Fuzz(func(t *testing.T, what string) {
		from, name, err := parseTake(what)
		if err == nil && (!strings.HasPrefix(from, "/") || !strings.HasPrefix(name, "/")) {
			t.Errorf("%q is taken from %q to %q", what, from, name)
		}
	})
}

package kernel

import (
	"strings"
	"testing"
)

func FuzzSettings(f *testing.F) {
	f.Add([]byte("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"x=y\"\n# a comment\n"))
	f.Add([]byte("=\n is not set\nCONFIG_"))
	f.Fuzz(func(t *testing.T, config []byte) {
		for _, s := range settings(config) {
			if !strings.HasPrefix(s.name, "CONFIG_") || strings.ContainsAny(s.name, "=\n") {
				t.Errorf("a setting is %q", s)
			}
		}
		if missing := (recipe{config: config}).missing(config); missing != nil && !repeated(config) {
			t.Errorf("a configuration lacks %q of itself", missing)
		}
	})
}

// repeated reports whether a configuration has two lines for one setting.
func repeated(config []byte) bool {
	seen := map[string]bool{}
	for _, s := range settings(config) {
		if seen[s.name] {
			return true
		}
		seen[s.name] = true
	}
	return false
}

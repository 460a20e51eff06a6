package kernel

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEverySourceHasAConfigurationAndPatches(t *testing.T) {
	for _, s := range Sources() {
		r, err := recipeFor(embedded, s)
		if err != nil || len(r.config) == 0 || len(r.patches) == 0 {
			t.Errorf("%s: %d bytes of configuration, %d patches, %v", s, len(r.config), len(r.patches), err)
		}
		if expectedFiles[s] == 0 {
			t.Errorf("%s: it is not known how many files it has", s)
		}
	}
}

func TestNoPatchTouchesWhatIsOutsideTheArchitecture(t *testing.T) {
	for _, s := range Sources() {
		r, err := recipeFor(embedded, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.patches {
			for line := range strings.Lines(string(p.content)) {
				if file, ok := strings.CutPrefix(line, "+++ "); ok && !strings.Contains(file, "/arch/um/") && !strings.Contains(file, "/arch/x86/um/") {
					t.Errorf("%s for %s changes %s, which is outside arch/um", p.name, s, strings.TrimSpace(file))
				}
			}
		}
	}
}

func TestTheRecipesHashChangesWithEachOfItsParts(t *testing.T) {
	files := func(changes map[string]string) fstest.MapFS {
		all := map[string]string{"config": "CONFIG_A=y\n", "patches/6.12/01-a.patch": "a", "patches/6.12/02-b.patch": "b", "patches/6.1/01-a.patch": "c"}
		for name, content := range changes {
			all[name] = content
		}
		fs := fstest.MapFS{}
		for name, content := range all {
			fs[name] = &fstest.MapFile{Data: []byte(content)}
		}
		return fs
	}
	hash := func(changes map[string]string) string {
		t.Helper()
		r, err := recipeFor(files(changes), Debian13)
		if err != nil {
			t.Fatal(err)
		}
		return r.hash()
	}
	as := hash(nil)
	for _, c := range []struct {
		what    string
		changes map[string]string
		same    bool
	}{
		{"nothing", nil, true},
		{"a patch of the other source", map[string]string{"patches/6.1/01-a.patch": "d"}, true},
		{"no patch", map[string]string{"patches/6.12/README": "d"}, true},
		{"the configuration", map[string]string{"config": "CONFIG_A=n\n"}, false},
		{"a patch", map[string]string{"patches/6.12/01-a.patch": "A"}, false},
		{"one patch more", map[string]string{"patches/6.12/03-c.patch": ""}, false},
		{"the border between two patches", map[string]string{"patches/6.12/01-a.patch": "ab", "patches/6.12/02-b.patch": ""}, false},
	} {
		if got := hash(c.changes); (got == as) != c.same {
			t.Errorf("%s changes: same hash %v, expected %v", c.what, got == as, c.same)
		}
	}
}

func TestWhatAConfigurationLost(t *testing.T) {
	r := recipe{config: []byte("# CONFIG_COMMENT=y\nCONFIG_A=y\nCONFIG_HZ=250\nCONFIG_S=\"null\"\nCONFIG_OFF=n\n# CONFIG_UNSET is not set\n\n")}
	for _, c := range []struct {
		what, config string
		missing      []string
	}{
		{"nothing", "CONFIG_A=y\nCONFIG_HZ=250\nCONFIG_S=\"null\"\n# CONFIG_OFF is not set\nCONFIG_MORE=y\n", nil},
		{"one that was dropped", "CONFIG_HZ=250\nCONFIG_S=\"null\"\n", []string{"CONFIG_A=y"}},
		{"one that is off", "# CONFIG_A is not set\nCONFIG_HZ=250\nCONFIG_S=\"null\"\n", []string{"CONFIG_A=y"}},
		{"one that became a module", "CONFIG_A=m\nCONFIG_HZ=250\nCONFIG_S=\"null\"\n", []string{"CONFIG_A=y"}},
		{"a number and a text", "CONFIG_A=y\nCONFIG_HZ=100\nCONFIG_S=\"\"\n", []string{"CONFIG_HZ=250", `CONFIG_S="null"`}},
		{"one that was selected", "CONFIG_A=y\nCONFIG_HZ=250\nCONFIG_S=\"null\"\nCONFIG_OFF=y\n", []string{"CONFIG_OFF=n"}},
		{"another that was selected", "CONFIG_A=y\nCONFIG_HZ=250\nCONFIG_S=\"null\"\nCONFIG_UNSET=m\n", []string{"CONFIG_UNSET=n"}},
	} {
		var got []string
		for _, s := range r.missing([]byte(c.config)) {
			got = append(got, s.String())
		}
		if !slices.Equal(got, c.missing) {
			t.Errorf("%s: %q, expected %q", c.what, got, c.missing)
		}
	}
}

func TestASourceIsNamedByItsSeries(t *testing.T) {
	for _, c := range []struct {
		name, pkg string
	}{{"", "linux-source-6.12"}, {"6.12", "linux-source-6.12"}, {"6.1", "linux-source-6.1"}} {
		if s, err := ParseSource(c.name); err != nil || s.debianPackage() != c.pkg {
			t.Errorf("%q: %s, %v, expected %s", c.name, s.debianPackage(), err, c.pkg)
		}
	}
	if _, err := ParseSource("5.10"); err == nil || err.Error() != `there is no kernel source "5.10": choose 6.12 or 6.1` {
		t.Error(err)
	}
}

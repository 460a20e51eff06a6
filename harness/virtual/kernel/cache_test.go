package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// filled is a cache with two kernels of one recipe, the second the newer, and one of
// another.
func filled(t *testing.T) (c cache, older, newer, other Kernel) {
	t.Helper()
	c = cache{t.TempDir()}
	put := func(pkg, recipe string, hour int) Kernel {
		program := filepath.Join(t.TempDir(), "linux")
		if err := os.WriteFile(program, []byte("a kernel "+pkg+recipe), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := c.put(program, Kernel{Source: Debian13, Package: pkg, Recipe: recipe, Made: time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	return c, put("6.12.1-1", "this", 1), put("6.12.2-1", "this", 2), put("6.12.2-1", "another", 3)
}

func TestTheNewestKernelOfTheRecipeIsFound(t *testing.T) {
	c, older, newer, other := filled(t)
	if k, err := c.find(Debian13, "this"); err != nil || k != newer {
		t.Errorf("%+v, %v, expected %+v", k, err, newer)
	}
	if k, err := c.find(Debian13, "another"); err != nil || k != other {
		t.Errorf("%+v, %v, expected %+v", k, err, other)
	}
	if all, err := c.list(); err != nil || len(all) != 3 || all[0] != other || all[2] != older {
		t.Errorf("listed are %+v, %v", all, err)
	}
	for _, absent := range []struct {
		source Source
		recipe string
	}{{Debian13, "a third"}, {Debian12, "this"}} {
		if _, err := c.find(absent.source, absent.recipe); !errors.Is(err, ErrNotBuilt) {
			t.Errorf("%v: %v", absent, err)
		}
	}
}

func TestAKernelThatIsNotWholeIsRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		damage func(Kernel) error
		suffix string // of the file to remove
		want   string
	}{
		{"truncated", func(k Kernel) error { return os.Truncate(k.File, 5) }, "", " is damaged (5 bytes of 21): remove that file"},
		{"empty", func(k Kernel) error { return os.Truncate(k.File, 0) }, "", " is damaged (0 bytes of 21): remove that file"},
		{"of other bytes", func(k Kernel) error { return os.WriteFile(k.File, []byte(strings.Repeat("x", int(k.Size))), 0o755) }, "", " is damaged (its checksum is wrong): remove that file"},
		{"without a whole record", func(k Kernel) error { return os.Truncate(k.File+metadata, 5) }, metadata, " is damaged (it is cut short): remove that file"},
	} {
		t.Run(c.what, func(t *testing.T) {
			cache, _, newer, _ := filled(t)
			if err := c.damage(newer); err != nil {
				t.Fatal(err)
			}
			_, err := cache.find(Debian13, "this")
			damaged, ok := errors.AsType[*Damaged](err)
			if !ok || damaged.File != newer.File+c.suffix || !strings.HasPrefix(err.Error(), "the kernel "+damaged.File+c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestARemovedKernelIsNotBuilt(t *testing.T) {
	for _, suffix := range []string{"", metadata} {
		c, older, newer, _ := filled(t)
		if err := os.Remove(newer.File + suffix); err != nil {
			t.Fatal(err)
		}
		if k, err := c.find(Debian13, "this"); err != nil || k != older {
			t.Errorf("without KERNEL%s: %+v, %v, expected %+v", suffix, k, err, older)
		}
	}
}

func TestACacheThatIsNotThereIsEmpty(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "[none]"))
	if all, err := List(); err != nil || all != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := Find(Default); !errors.Is(err, ErrNotBuilt) {
		t.Error(err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := Find(Default); err == nil || !strings.Contains(err.Error(), "looking for the cache: neither HOME nor XDG_CACHE_HOME") {
		t.Error(err)
	}
}

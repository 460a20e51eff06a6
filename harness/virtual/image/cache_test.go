package image

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cached opens the example and returns it with the file of its root, in a new cache.
func cached(t *testing.T) (*Image, string) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	i, _ := example(t)
	opened, err := Open(t.Context(), writeLayout(t, i))
	if err != nil {
		t.Fatal(err)
	}
	file, _, err := opened.Root(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return opened, file
}

func TestTheRootIsMadeOnce(t *testing.T) {
	i, file := cached(t)
	i.layers = nil // a second time it could not be made
	var log bytes.Buffer
	again, _, err := i.Root(t.Context(), &log)
	if err != nil || again != file || log.Len() > 0 {
		t.Errorf("%s, %v, printed %q", again, err, &log)
	}
	if names := files(t, filepath.Dir(file)); len(names) != 1 {
		t.Errorf("the cache has %q", names)
	}
}

func TestTheSameImageGivesTheSameBytes(t *testing.T) {
	_, first := cached(t)
	_, second := cached(t)
	if filepath.Base(first) != filepath.Base(second) {
		t.Errorf("%s and %s", first, second)
	}
}

func TestADamagedRootIsMadeAgain(t *testing.T) {
	i, file := cached(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(whole)
	changed[len(changed)/2] ^= 1
	for _, content := range [][]byte{nil, whole[:len(whole)-1], changed} {
		write(t, file, content)
		var log bytes.Buffer
		again, _, err := i.Root(t.Context(), &log)
		if err != nil || again != file || !strings.Contains(log.String(), file+" in the cache is damaged; it is made again") {
			t.Errorf("%s, %v, printed %q", again, err, &log)
		}
		if has, err := os.ReadFile(file); err != nil || !bytes.Equal(has, whole) {
			t.Errorf("it has %d bytes, expected %d, %v", len(has), len(whole), err)
		}
	}
}

func TestWhatADeadProcessLeftIsRemoved(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	c, err := userCache()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(c.directory, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.directory, unfinished+"dead"), []byte("x"))
	alive, err := c.temporary()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = alive.Close() }()
	i, _ := example(t)
	opened, err := Open(t.Context(), writeLayout(t, i))
	if err != nil {
		t.Fatal(err)
	}
	file, _, err := opened.Root(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if names, want := files(t, c.directory), []string{filepath.Base(file), filepath.Base(alive.Name())}; !slices.Equal(names, want) {
		t.Errorf("the cache has %q, expected %q", names, want)
	}
}

func TestAnInterruptedReadingLeavesNothing(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	i, _ := example(t)
	opened, err := Open(t.Context(), writeLayout(t, i))
	if err != nil {
		t.Fatal(err)
	}
	c, err := userCache()
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("no more")
	if _, err := c.make(opened.Digest, func(to io.Writer, _ *os.File) error { _, _ = to.Write([]byte("part")); return why }); !errors.Is(err, why) {
		t.Error(err)
	}
	if names := files(t, c.directory); len(names) > 0 {
		t.Errorf("the cache has %q", names)
	}
}

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

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/lockfile"
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
		if err != nil || again != file || !strings.Contains(log.String(), file+" is damaged: its checksum is not the one in its name: it is made again") {
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
	write(t, filepath.Join(c.directory, atomicfile.Prefix+"dead"), []byte("x"))
	alive, err := atomicfile.Create(c.directory)
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
	if names, want := files(t, c.directory), []string{filepath.Base(alive.Name()), filepath.Base(file)}; !slices.Equal(names, want) {
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
	if _, _, err := c.make(opened.Digest, func(to io.Writer, _ *os.File) error { _, _ = to.Write([]byte("part")); return why }); !errors.Is(err, why) {
		t.Error(err)
	}
	if names := files(t, c.directory); len(names) > 0 {
		t.Errorf("the cache has %q", names)
	}
}

func TestListAndVerify(t *testing.T) {
	i, file := cached(t)
	write(t, filepath.Join(filepath.Dir(file), "readme"), nil)
	all, err := List()
	if err != nil || len(all) != 1 || all[0].File != file || all[0].Digest != i.Digest || all[0].Size == 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	if err := all[0].Verify(); err != nil {
		t.Error(err)
	}
	write(t, file, []byte("other"))
	if damaged, ok := errors.AsType[*Damaged](all[0].Verify()); !ok || damaged.File != file {
		t.Errorf("%v", damaged)
	}
	if err := all[0].Remove(); err != nil {
		t.Error(err)
	}
	if all, err := List(); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if all, err := List(); err != nil || len(all) > 0 {
		t.Errorf("without a cache: %+v, %v", all, err)
	}
}

// Two processes that need the same image read its layers once.
func TestAnImageIsReadByOneProcessAtATime(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	c, err := userCache()
	if err != nil {
		t.Fatal(err)
	}
	held, err := lockfile.Try(filepath.Join(c.directory, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	i, _ := example(t)
	opened, err := Open(t.Context(), writeSaved(t, i))
	if err != nil {
		t.Fatal(err)
	}
	reads, waits := 0, make(chan struct{})
	log := told(func(p []byte) {
		if strings.Contains(string(p), "waiting for process") {
			close(waits)
		}
		reads += strings.Count(string(p), "reading the image")
	})
	go func() {
		<-waits
		_ = held.Remove()
	}()
	for range 2 {
		if _, _, err := opened.Root(t.Context(), log); err != nil {
			t.Fatal(err)
		}
	}
	if reads != 1 {
		t.Errorf("its layers were read %d times", reads)
	}
}

// told is a function that is given what is written.
type told func([]byte)

// Write implements io.Writer.
func (w told) Write(p []byte) (int, error) { w(p); return len(p), nil }

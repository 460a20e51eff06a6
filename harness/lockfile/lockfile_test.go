package lockfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/lockfile"
)

func try(t *testing.T, path string) *lockfile.Lock {
	t.Helper()
	l, err := lockfile.Try(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestALockSaysWhoHoldsItAndIsFreeAfterwards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "lock")
	first := try(t, path)
	_, err := lockfile.Try(path)
	held, ok := errors.AsType[*lockfile.Held](err)
	if !ok || held.File != path || !strings.HasPrefix(held.By, "process ") || !strings.Contains(held.By, "(lockfile.test) since 20") {
		t.Fatalf("locking it twice: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || len(content) > 0 {
		t.Errorf("the free file has %q, %v", content, err)
	}
	second := try(t, path)
	if err := second.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the removed file: %v", err)
	}
}

func TestWhoWaitsIsToldForWhomAndEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := try(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := lockfile.Wait(ctx, path, func(h *lockfile.Held) {
		if !strings.Contains(h.By, "lockfile.test") {
			t.Errorf("it is held by %s", h.By)
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting until the context ends: %v", err)
	}
	waiting := make(chan struct{})
	go func() {
		<-waiting
		_ = first.Close()
	}()
	second, err := lockfile.Wait(t.Context(), path, func(*lockfile.Held) { close(waiting) })
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

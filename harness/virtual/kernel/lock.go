package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// retry is how often a waiting build tries to get the lock.
const retry = 200 * time.Millisecond

// lock makes this build the only one in the cache, after waiting for another build to end.
// The kernel frees the lock of a process that dies. lock also removes the directories of
// builds that died.
func (c cache) lock(ctx context.Context, s Source, p *progress) (unlock func(), err error) {
	fail := func(err error) (func(), error) {
		return nil, fmt.Errorf("locking the cache of kernels: %w", err)
	}
	if err := os.MkdirAll(c.directory, 0o755); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(filepath.Join(c.directory, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fail(err)
	}
	if err := await(ctx, f, p); err != nil {
		_ = f.Close()
		return fail(err)
	}
	// A build that waits shows this text.
	if err := errors.Join(f.Truncate(0), write(f, fmt.Sprintf("process %d, which builds %s", os.Getpid(), s)), c.clear()); err != nil {
		_ = f.Close()
		return fail(err)
	}
	return func() { _ = f.Close() }, nil // which frees the lock
}

func await(ctx context.Context, f *os.File, p *progress) error {
	shown := false
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		holder, _ := os.ReadFile(f.Name())
		if len(holder) > 0 && !shown {
			p.begin("waiting for %s", holder)
			shown = true
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(retry):
		}
	}
}

func write(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// clear removes the directories of builds that died.
func (c cache) clear() error {
	entries, err := os.ReadDir(c.directory)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), unfinished) {
			if err := os.RemoveAll(filepath.Join(c.directory, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

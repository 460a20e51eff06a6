package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/lockfile"
)

// lock makes this build the only one in the cache, after waiting for another build to end.
// The kernel frees the lock of a process that dies. lock also removes the directories of
// builds that died.
func (c cache) lock(ctx context.Context, p *progress) (unlock func(), err error) {
	fail := func(err error) (func(), error) {
		return nil, fmt.Errorf("locking the cache of kernels: %w", err)
	}
	l, err := lockfile.Wait(ctx, filepath.Join(c.directory, "lock"), func(h *lockfile.Held) { p.begin("waiting for %s", h.By) })
	if err != nil {
		return fail(err)
	}
	if err := c.clear(); err != nil {
		return fail(errors.Join(err, l.Close()))
	}
	return func() { _ = l.Close() }, nil
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

// Package unfinished makes files of a cache that do not count until they are renamed.
package unfinished

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// prefix begins the names of unfinished files.
const prefix = "unfinished-"

// Create makes the directory, if necessary, and an unfinished file in it. It removes those of
// processes that have died: a file is locked (flock(2)) for as long as its maker has it open.
func Create(directory string) (*os.File, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	if err := clear(directory); err != nil {
		return nil, err
	}
	for {
		f, err := os.CreateTemp(directory, prefix)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		// Another process may have removed it before it was locked.
		if _, err := os.Stat(f.Name()); err == nil {
			return f, nil
		}
		_ = f.Close()
	}
}

// clear removes the unfinished files of processes that have died.
func clear(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		name := filepath.Join(directory, e.Name())
		f, err := os.Open(name)
		if err != nil {
			continue // another process has removed it
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			err = os.Remove(name)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

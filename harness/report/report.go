// Package report prepares the directory in which a run leaves its report, and keeps other runs
// out of it meanwhile.
package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/halfopen-lab/halfopen/harness/lockfile"
)

// signature is the file that marks a directory as that of a report. While a run holds the
// directory, the file is locked (flock(2)) and says who holds it.
const signature = ".halfopen-report"

// Directory is the directory of a report, which no other run can have until Close. The kernel
// frees it when the process dies.
type Directory struct {
	path string
	mark *lockfile.Lock
	made bool // by Open, and not emptied since
}

// Open makes the directory, if necessary, and takes it for this process. It changes nothing and
// returns an error, in one line, if another run holds the directory, if it has anything else than
// a report, or if it cannot be written.
func Open(directory string) (*Directory, error) {
	fail := func(err error) (*Directory, error) {
		return nil, fmt.Errorf("preparing the directory of the report: %w: choose another directory", err)
	}
	directory, err := filepath.Abs(directory)
	if err != nil {
		return fail(err)
	}
	entries, err := os.ReadDir(directory)
	missing := errors.Is(err, os.ErrNotExist)
	if err != nil && !missing {
		return fail(err)
	}
	name := filepath.Join(directory, signature)
	if info, err := os.Lstat(name); len(entries) > 0 && (err != nil || !info.Mode().IsRegular()) {
		return nil, fmt.Errorf("preparing the directory of the report: %s has other files: choose an empty directory", directory)
	}
	mark, err := lockfile.Try(name)
	if held, ok := errors.AsType[*lockfile.Held](err); ok {
		return nil, fmt.Errorf("the directory of the report, %s, is in use by %s: wait for it to end, or choose another directory", directory, held.By)
	}
	if err != nil {
		return fail(err)
	}
	return &Directory{path: directory, mark: mark, made: missing}, nil
}

// Path returns the absolute path of the directory.
func (d *Directory) Path() string { return d.path }

// Empty removes the report of an earlier run.
func (d *Directory) Empty() error {
	d.made = false
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("removing the report of an earlier run: %w", err)
	}
	for _, entry := range entries { // not the directory itself, which may be a mount point
		if entry.Name() == signature {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.path, entry.Name())); err != nil {
			return fmt.Errorf("removing the report of an earlier run: %w", err)
		}
	}
	return nil
}

// Keep leaves what an earlier run has left, for a run that goes on with it.
func (d *Directory) Keep() { d.made = false }

// Close lets other runs have the directory. If Open made it, and nothing was to be written
// there (Empty, Keep), it is gone.
func (d *Directory) Close() error {
	if !d.made {
		return d.mark.Close()
	}
	return errors.Join(d.mark.Remove(), os.Remove(d.path))
}

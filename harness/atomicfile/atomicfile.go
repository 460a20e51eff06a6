// Package atomicfile writes files that appear whole or not at all, however the process that
// writes them ends: a file has a name of its own until it is complete, and is then renamed.
//
// Which directories may be written, and by whom, is not decided here: package report does it
// for reports.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Prefix begins the names of files that are not complete. The next Create in the same directory
// removes those whose process has died.
const Prefix = ".halfopen-unfinished-"

// WriteFile writes a file, as os.WriteFile does, so that it has all of the content or, if there
// is an error or the process is killed, what it had before. The content is on the disk when
// WriteFile returns (fsync(2)). The error names the file.
func WriteFile(path string, content []byte, mode os.FileMode) error {
	return Write(path, mode, func(f *os.File) error {
		_, err := f.Write(content)
		return err
	})
}

// Write is WriteFile for content that a function writes.
func Write(path string, mode os.FileMode, fill func(*os.File) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a rename would replace the link
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // such as /dev/stdout
		return throughIt(path, fill)
	}
	f, err := create(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	defer func() { _ = f.Close() }() // which frees the lock
	if err := fill(f); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, cause(err)), os.Remove(f.Name()))
	}
	if err := Finish(f, path, mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	return nil
}

// throughIt writes to a file that is not a regular one.
func throughIt(path string, fill func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	return nil
}

// cause returns what is wrong without the name of the unfinished file.
func cause(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}

// Create makes the directory, if necessary, and an unfinished file in it, which Finish gives its
// name. It removes those of processes that have died: a file is locked (flock(2)) for as long
// as its maker has it open.
func Create(directory string) (*os.File, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	return create(directory)
}

func create(directory string) (*os.File, error) {
	if err := clear(directory); err != nil {
		return nil, err
	}
	for {
		f, err := os.CreateTemp(directory, Prefix)
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

// Finish gives an unfinished file its permissions and its name, in the same directory, once its
// content is on the disk (fsync(2)). On an error it removes the file.
func Finish(f *os.File, path string, mode os.FileMode) error {
	err := f.Chmod(mode)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// clear removes the unfinished files of processes that have died.
func clear(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), Prefix) || !e.Type().IsRegular() {
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

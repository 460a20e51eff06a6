// Package lockfile locks files that say who holds them (flock(2)). The kernel frees the lock of a
// process that dies, however it dies.
package lockfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Lock is a file that this process has locked.
type Lock struct{ file *os.File }

// Held is the error of a file that another process has locked.
type Held struct {
	File string
	By   string // the process, its command, and since when; "another process" if it has not said so yet
}

// Error implements error.
func (e *Held) Error() string { return fmt.Sprintf("%s is in use by %s", e.File, e.By) }

// Try makes a file and its directory, if necessary, and locks the file. The error is a *Held if
// another process has locked it.
func Try(path string) (*Lock, error) {
	for {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, err
		}
		l := &Lock{file}
		if err := l.lock(); err != nil {
			_ = file.Close()
			return nil, err
		}
		if l.there() {
			if err := l.write(holder()); err != nil {
				return nil, errors.Join(err, file.Close())
			}
			return l, nil
		}
		_ = file.Close() // its last holder had just removed it
	}
}

// lock locks the file, or returns a *Held.
func (l *Lock) lock() error {
	for {
		err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EWOULDBLOCK):
			content, _ := io.ReadAll(io.LimitReader(l.file, 1<<12))
			by := strings.Join(strings.Fields(string(content)), " ")
			if by == "" {
				by = "another process"
			}
			return &Held{l.file.Name(), by}
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("locking %s: %w", l.file.Name(), err)
		}
	}
}

// there reports whether the file still has its name.
func (l *Lock) there() bool {
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(l.file.Name())
	return err == nil && os.SameFile(mine, named)
}

// retry is how often Wait tries.
const retry = 200 * time.Millisecond

// Wait is Try, but waits until the file is free, or ctx ends, which is the error then. It calls
// held, once, if it has to wait.
func Wait(ctx context.Context, path string, held func(*Held)) (*Lock, error) {
	for {
		l, err := Try(path)
		other, ok := errors.AsType[*Held](err)
		if !ok {
			return l, err
		}
		if held != nil {
			held(other)
			held = nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(retry):
		}
	}
}

// holder returns who holds a lock of this process. Of the arguments it has those before the
// first flag: flags may have secrets.
func holder() string {
	command := filepath.Base(os.Args[0])
	for _, argument := range os.Args[1:] {
		if strings.HasPrefix(argument, "-") {
			break
		}
		command += " " + argument
	}
	return fmt.Sprintf("process %d (%s) since %s\n", os.Getpid(), command, time.Now().Format(time.DateTime))
}

func (l *Lock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// Close empties the file and frees it.
func (l *Lock) Close() error { return errors.Join(l.write(""), l.file.Close()) }

// Remove removes the file and frees it.
func (l *Lock) Remove() error { return errors.Join(os.Remove(l.file.Name()), l.file.Close()) }

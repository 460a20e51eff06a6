// Package inputfile reads the files that a user names, which may be anything: a pipe that nobody
// writes to, a device without an end, a directory.
package inputfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// Read returns the content of a file, which may have at most limit bytes. A pipe is read to its
// end; when ctx ends before, its cause is the error. The error is one line. It is fs.ErrNotExist
// where there is no such file.
func Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	if path == "" {
		return nil, errors.New("the name of the file is empty: name a file")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name a file", shown(path))
	}
	type result struct {
		content []byte
		err     error
	}
	done := make(chan result, 1)
	go func() { // opening or reading a pipe may take for ever, and cannot be ended
		content, err := read(path, limit)
		done <- result{content, err}
	}()
	select {
	case r := <-done:
		return r.content, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for %s: %w", shown(path), context.Cause(ctx))
	}
}

func read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("%s: %w: check its name and its permissions", shown(path), p.Err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%s has more than %s: is it the right file?", shown(path), size(limit))
	}
	return content, nil
}

// shown returns a path as it is, or quoted if a part of it cannot be printed.
func shown(path string) string {
	if quoted := strconv.Quote(path); quoted != `"`+path+`"` {
		return quoted
	}
	return path
}

// size returns a number of bytes as people write it.
func size(bytes int64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

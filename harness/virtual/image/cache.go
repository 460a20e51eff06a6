package image

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// cache is the directory with root file systems of images. Each is one file, whose name has
// the digest of the image, the edition of the code that made it, and its own SHA-256 sum,
// which is compared whenever it is used.
type cache struct{ directory string }

const (
	// edition changes whenever the same image gives another archive than before.
	edition    = "1"
	suffix     = ".tar"
	unfinished = "unfinished-" // the prefix of archives that are being made
)

func userCache() (cache, error) {
	directory, err := environment.Cache()
	return cache{filepath.Join(directory, "image")}, err
}

// prefix returns how the name of an image's file begins.
func prefix(digest string) string {
	return strings.ReplaceAll(digest, ":", "-") + "." + edition + "."
}

// find returns the file of an image; empty: it is not there. A damaged file is removed, and
// the error names it.
func (c cache) find(digest string) (string, error) {
	entries, err := os.ReadDir(c.directory)
	if err != nil {
		return "", nil // there is no cache yet, or making it will say why not
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), prefix(digest))
		want, isArchive := strings.CutSuffix(rest, suffix)
		if !ok || !isArchive {
			continue
		}
		file := filepath.Join(c.directory, e.Name())
		has, err := sumOf(file)
		if err == nil && has == want {
			return file, nil
		}
		return "", errors.Join(fmt.Errorf("the file %s in the cache is damaged", file), os.Remove(file))
	}
	return "", nil
}

// make makes the file of an image: what fill writes, which is given a file without a name to
// keep contents in. The file appears in the cache when it is whole.
func (c cache) make(digest string, fill func(to io.Writer, spool *os.File) error) (_ string, err error) {
	if err := os.MkdirAll(c.directory, 0o755); err != nil {
		return "", err
	}
	if err := c.clear(); err != nil {
		return "", err
	}
	spool, err := c.temporary()
	if err != nil {
		return "", err
	}
	defer func() { _ = spool.Close() }()
	if err := os.Remove(spool.Name()); err != nil {
		return "", err
	}
	f, err := c.temporary()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	finished := filepath.Join(c.directory, prefix(digest))
	err = fill(buffered, spool)
	if err == nil {
		err = errors.Join(buffered.Flush(), f.Sync(), f.Chmod(0o644))
	}
	if err == nil {
		finished += hex.EncodeToString(sum.Sum(nil)) + suffix
		err = os.Rename(f.Name(), finished)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return finished, nil
}

// temporary makes an unfinished file. It is locked while its maker lives. Another process
// may clear it away before it is locked: then there is another.
func (c cache) temporary() (*os.File, error) {
	for {
		f, err := os.CreateTemp(c.directory, unfinished)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		if _, err := os.Stat(f.Name()); err == nil {
			return f, nil
		}
		_ = f.Close()
	}
}

// clear removes the unfinished files of processes that have died.
func (c cache) clear() error {
	files, err := os.ReadDir(c.directory)
	if err != nil {
		return err
	}
	for _, e := range files {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		file := filepath.Join(c.directory, e.Name())
		f, err := os.Open(file)
		if err != nil {
			continue // another process has removed it
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			err = os.Remove(file)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// sumOf returns the SHA-256 sum of a file.
func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

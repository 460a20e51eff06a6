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

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/environment"
)

// cache is the directory with root file systems of images. Each is one file, whose name has
// the digest of the image, the edition of the code that made it, and its own SHA-256 sum,
// which is compared whenever it is used.
type cache struct{ directory string }

const (
	// edition changes whenever the same image gives another archive than before.
	edition = "1"
	suffix  = ".tar"
)

func userCache() (cache, error) {
	directory, err := environment.Cache()
	return cache{filepath.Join(directory, "image")}, err
}

// Archive is the root file system of an image in the cache.
type Archive struct {
	Digest string // of the image
	File   string
	Size   int64 // in bytes

	sum string // that the file had, in hexadecimal
}

// Damaged is the error of a file in the cache that is not what was put there.
type Damaged struct{ File, Why string }

// Error implements error.
func (e *Damaged) Error() string {
	return fmt.Sprintf("%s is damaged: %s: remove it", e.File, e.Why)
}

// Verify compares the archive with its sum. The error is a *Damaged where it differs.
func (a Archive) Verify() error {
	f, err := os.Open(a.File)
	if err != nil {
		return fmt.Errorf("verifying the root of an image: %w", err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("verifying the root of an image: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != a.sum {
		return &Damaged{a.File, "its checksum is not the one in its name"}
	}
	return nil
}

// Remove removes the archive from the cache.
func (a Archive) Remove() error { return os.Remove(a.File) }

// List returns the archives in the cache, by name. It does not verify them.
func List() ([]Archive, error) {
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	return c.list()
}

func (c cache) list() (all []Archive, err error) {
	entries, err := os.ReadDir(c.directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the cache of images: %w", err)
	}
	for _, e := range entries {
		parts := strings.Split(e.Name(), ".") // digest, edition, sum, tar
		if len(parts) != 4 || "."+parts[3] != suffix {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // somebody has removed it
		}
		all = append(all, Archive{strings.Replace(parts[0], "-", ":", 1), filepath.Join(c.directory, e.Name()), info.Size(), parts[2]})
	}
	return all, nil
}

// prefix returns how the name of an image's file begins.
func prefix(digest string) string {
	return strings.Replace(digest, ":", "-", 1) + "." + edition + "."
}

// find returns the archive of an image; nil: it is not there. The error is a *Damaged where
// it is not as it was made.
func (c cache) find(digest string) (*Archive, error) {
	all, err := c.list()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if strings.HasPrefix(filepath.Base(a.File), prefix(digest)) {
			return &a, a.Verify()
		}
	}
	return nil, nil
}

// make makes the file of an image and returns its size: what fill writes, which is given a file without a name to
// keep contents in. The file appears in the cache when it is whole.
func (c cache) make(digest string, fill func(to io.Writer, spool *os.File) error) (_ string, size int64, err error) {
	spool, err := atomicfile.Create(c.directory)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = spool.Close() }()
	if err := os.Remove(spool.Name()); err != nil {
		return "", 0, err
	}
	f, err := atomicfile.Create(c.directory)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	finished := filepath.Join(c.directory, prefix(digest))
	err = fill(buffered, spool)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return "", 0, errors.Join(err, os.Remove(f.Name()))
	}
	finished += hex.EncodeToString(sum.Sum(nil)) + suffix
	return finished, size, atomicfile.Finish(f, finished, 0o644)
}

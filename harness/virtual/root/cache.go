package root

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// cache is the directory with the layers. Each has a record, a JSON file beside it, which is
// written first: a layer without one does not count.
type cache struct{ directory string }

const (
	suffix   = ".tar"
	metadata = ".json"
)

func userCache() (cache, error) {
	directory, err := environment.Cache()
	return cache{filepath.Join(directory, "roots")}, err
}

// put gives a finished layer its name, after its record.
func (i *Installed) put(finished *os.File) error {
	about, err := json.MarshalIndent(i, "", "  ")
	if err == nil {
		err = atomicfile.WriteFile(i.File+metadata, append(about, '\n'), 0o644)
	}
	if err == nil {
		err = atomicfile.Finish(finished, i.File, 0o644)
	}
	if err != nil {
		return fmt.Errorf("putting installed packages into the cache: %w", err)
	}
	return nil
}

// read returns the layer in a file. The error is os.ErrNotExist where there is none.
func read(file string) (*Installed, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file + metadata)
	if err != nil {
		return nil, err
	}
	i := &Installed{File: file}
	if err := inputfile.Unmarshal(content, i); err != nil {
		return nil, &Damaged{file + metadata, err.Error()}
	}
	return i, nil
}

// Damaged is the error of a file in the cache that is not what was put there.
type Damaged struct{ File, Why string }

// Error implements error.
func (e *Damaged) Error() string {
	return fmt.Sprintf("%s is damaged (%s): remove it, and it is made again", e.File, e.Why)
}

// Verify compares the layer with its record. The error is a *Damaged where it differs.
func (i *Installed) Verify() error {
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", i.File, err)
	}
	if size != i.Size {
		return &Damaged{i.File, fmt.Sprintf("it has %d bytes instead of %d", size, i.Size)}
	}
	if hex.EncodeToString(sum.Sum(nil)) != i.SHA256 {
		return &Damaged{i.File, "its checksum is not the one in its record"}
	}
	return nil
}

// List returns the layers in the cache, by name. Damaged records are *Damaged errors, joined;
// what can be read is returned all the same.
func List() ([]*Installed, error) {
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var all []*Installed
	var wrong error
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), suffix) {
			continue
		}
		found, err := read(filepath.Join(c.directory, entry.Name()))
		if err == nil {
			all = append(all, found)
		}
		wrong = errors.Join(wrong, err)
	}
	return all, errors.Join(err, wrong)
}

// Remove removes the layer from the cache.
func (i *Installed) Remove() error {
	return errors.Join(os.Remove(i.File), os.Remove(i.File+metadata))
}

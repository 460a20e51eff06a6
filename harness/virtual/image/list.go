package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Cached is the root file system of an image in the cache.
type Cached struct {
	Digest string // of the image
	File   string
	Size   int64 // bytes
	sum    string
}

// List returns the root file systems in the cache, by name.
func List() ([]Cached, error) {
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the cache of images: %w", err)
	}
	var all []Cached
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		parts := strings.Split(name, ".") // the digest, the edition, and the sum
		info, err := e.Info()
		if !ok || len(parts) != 3 || err != nil {
			continue
		}
		all = append(all, Cached{Digest: strings.Replace(parts[0], "-", ":", 1), File: filepath.Join(c.directory, e.Name()), Size: info.Size(), sum: parts[2]})
	}
	return all, nil
}

// Verify compares the file with the sum in its name.
func (c Cached) Verify() error {
	sum, err := sumOf(c.File)
	if err == nil && sum != c.sum {
		err = fmt.Errorf("%s is damaged (its checksum is not the one in its name): remove it, and it is made again", c.File)
	}
	return err
}

// Remove removes the file from the cache.
func (c Cached) Remove() error { return os.Remove(c.File) }

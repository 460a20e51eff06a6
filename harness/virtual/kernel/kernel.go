package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Kernel is a kernel in the cache. Its JSON is its record there.
type Kernel struct {
	File     string    `json:"-"` // an executable
	Source   Source    `json:"source"`
	Package  string    `json:"package"`  // the version of Debian's package: "6.12.117-1"
	Release  string    `json:"release"`  // what uname -r says in a guest: "6.12.117"
	Recipe   string    `json:"recipe"`   // the hash of its configuration and patches
	Compiler string    `json:"compiler"` // with its linker and C library; empty for a released kernel
	SHA256   string    `json:"sha256"`
	Size     int64     `json:"size"`
	Made     time.Time `json:"made"`
	Seconds  float64   `json:"seconds"` // how long building or fetching it took
}

// Damaged is the error of a kernel in the cache that has changed since it was put there.
type Damaged struct {
	File string
	Why  string
}

// Error implements error.
func (d *Damaged) Error() string {
	return fmt.Sprintf("the kernel %s is damaged (%s): remove that file, and it will be built again", d.File, d.Why)
}

// Remove removes the kernel from the cache.
func (k Kernel) Remove() error { return errors.Join(os.Remove(k.File+metadata), os.Remove(k.File)) }

// Verify compares the kernel's bytes with its record. The error is a *Damaged when they
// differ.
func (k Kernel) Verify() error {
	f, err := os.Open(k.File)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != k.Size {
		return &Damaged{k.File, fmt.Sprintf("%d bytes of %d", info.Size(), k.Size)}
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != k.SHA256 {
		return &Damaged{k.File, "its checksum is wrong"}
	}
	return nil
}

package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// sums is the file in an unpacked package with the checksums of all others, as sha256sum(1)
// writes them.
const sums = "var/lib/dpkg/sums"

// Damaged is the error of an unpacked package that is not what was unpacked.
type Damaged struct{ Directory, File, Why string }

// Error implements error.
func (e *Damaged) Error() string {
	return fmt.Sprintf("%s is damaged (%s): remove %s, and it is fetched again", e.File, e.Why, e.Directory)
}

// Verify compares the files of an unpacked package with their checksums, without those that
// leaveOut, where it is not nil, names: "/usr/sbin/iptables". The error is a *Damaged where one differs.
func Verify(directory string, leaveOut func(name string) bool) error {
	content, err := os.ReadFile(filepath.Join(directory, sums))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was unpacked by a version that wrote none
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(content)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			return &Damaged{directory, filepath.Join(directory, sums), "a line of it has no checksum"}
		}
		if leaveOut != nil && leaveOut(path.Join("/", name)) {
			continue
		}
		file := filepath.Join(directory, name)
		found, err := checksum(file)
		if errors.Is(err, fs.ErrNotExist) {
			return &Damaged{directory, file, "it is missing"}
		}
		if err != nil {
			return err
		}
		if found != sum {
			return &Damaged{directory, file, "its checksum is not the one in its record"}
		}
	}
	return nil
}

// checksum returns the SHA-256 sum of a file.
func checksum(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

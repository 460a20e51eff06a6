// Package report prepares the directory in which a run leaves its report.
package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// signature is the file that marks a directory as that of a report.
const signature = ".halfopen-report"

// Empty makes the directory of a report. If the directory has the report of an earlier run, Empty
// removes that report; if it has anything else, Empty changes nothing and returns an error.
func Empty(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("preparing the directory of the report: %w: choose another directory", err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(directory, signature)); err != nil {
			return fmt.Errorf("preparing the directory of the report: %s has other files: choose an empty directory", directory)
		}
	}
	for _, entry := range entries { // not the directory itself, which may be a mount point
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return fmt.Errorf("removing the report of an earlier run: %w", err)
		}
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("preparing the directory of the report: %w: choose another directory", err)
	}
	return os.WriteFile(filepath.Join(directory, signature), nil, 0o644)
}

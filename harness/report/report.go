// Package report is the directory that a run leaves its report in.
package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// signature is the file that tells a report's directory from any other.
const signature = ".halfopen-report"

// Empty makes the directory of a report, or empties it if an earlier run has filled
// it. A directory that holds anything else is left alone, which is an error: a wrong name
// would otherwise remove what somebody needs.
func Empty(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("making room for the report: %w: choose another place", err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(directory, signature)); err != nil {
			return fmt.Errorf("making room for the report: %s holds something else: choose an empty place", directory)
		}
	}
	for _, entry := range entries { // and not the directory, on which something may be mounted
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return fmt.Errorf("removing the report of an earlier run: %w", err)
		}
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("making room for the report: %w: choose another place", err)
	}
	return os.WriteFile(filepath.Join(directory, signature), nil, 0o644)
}

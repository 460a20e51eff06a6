package chaos

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// settled waits until nothing is left of a command, and looks at what it has written.
func (h *house) settled(s *subject) error {
	var left error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if left = errors.Join(processes(), empty(h.temporary())); left == nil {
			return whole(s.report)
		}
	}
	return left
}

// processes returns an error if there is a process but this one, which is process 1.
func processes() error {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, file := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		stat, err := os.ReadFile(file)
		if err != nil || pid == os.Getpid() {
			continue // it has just ended
		}
		if _, after, _ := strings.Cut(string(stat), ") "); !strings.HasPrefix(after, "Z") {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			return fmt.Errorf("process %d is left: %s (%.40s)", pid, strings.ReplaceAll(string(command), "\x00", " "), stat)
		}
	}
	return nil
}

// empty returns an error if a directory has files.
func empty(directory string) error {
	entries, err := os.ReadDir(directory)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("temporary files are left: %v", entries)
	}
	return err
}

// whole returns an error if a file of a report is cut short.
func whole(report string) error {
	return filepath.WalkDir(report, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		switch filepath.Ext(file) {
		case ".json":
			if !json.Valid(content) {
				return fmt.Errorf("%s is not whole: %d bytes", file, len(content))
			}
		case ".xml":
			decoder := xml.NewDecoder(strings.NewReader(string(content)))
			for err == nil {
				_, err = decoder.Token()
			}
			if err != io.EOF {
				return fmt.Errorf("%s is not whole: %w", file, err)
			}
		}
		return nil
	})
}

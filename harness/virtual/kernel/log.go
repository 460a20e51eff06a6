package kernel

import (
	"fmt"
	"os"
	"strings"
)

// buildLog is the file with the output of all programs of a build. It stays in the cache
// until the next build.
type buildLog struct{ file *os.File }

// failed returns the error of a program that failed, with the line of its output that says
// why.
func (l *buildLog) failed(what string, err error) error {
	content, _ := os.ReadFile(l.file.Name()) // if it cannot be read, the error says less
	if c := complaint(string(content)); c != "" {
		err = fmt.Errorf("%w: %s", err, c)
	}
	return fmt.Errorf("%s: %w (everything it printed is in %s)", what, err, l.file.Name())
}

// complaint returns the line of a log that says what went wrong: the first line that names
// an error, or the last line.
func complaint(log string) string {
	last := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, "error:"), strings.Contains(line, "FAILED"), strings.HasPrefix(line, "E: "):
			return line
		case line != "" && !strings.Contains(line, "Exiting with failure status"): // tar's last line
			last = line
		}
	}
	return last
}

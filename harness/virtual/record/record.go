// Package record passes typed records through what a program prints, between whatever else
// it prints: a record is a record separator, JSON and a newline (RFC 7464). A guest has no
// other way to report while it runs.
package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

const separator = 0x1e

// Write writes a record.
func Write[T any](to io.Writer, record T) error {
	content, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	_, err = fmt.Fprintf(to, "%c%s\n", separator, content)
	return err
}

// kept is how many bytes of the other output are kept.
const kept = 16 << 10

// Finder is an io.Writer that takes what a program prints and finds the records in it. It
// is safe for concurrent use.
type Finder[T any] struct {
	// Each is called for each record, in order.
	Each func(T)

	mu   sync.Mutex
	line []byte // the beginning of a record
	rest []byte
}

// Write implements io.Writer. It never fails.
func (f *Finder[T]) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range p {
		switch {
		case b == separator:
			f.line = []byte{separator}
		case len(f.line) == 0:
			f.rest = append(f.rest, b)
		case b == '\n':
			f.end()
		default:
			f.line = append(f.line, b)
		}
	}
	f.rest = f.rest[max(0, len(f.rest)-kept):]
	return len(p), nil
}

// end takes a line that begins with the separator.
func (f *Finder[T]) end() {
	var record T
	if err := json.Unmarshal(f.line[1:], &record); err == nil {
		f.Each(record)
	} else {
		f.rest = append(append(f.rest, f.line...), '\n')
	}
	f.line = nil
}

// Rest returns what was printed beside the records, its last 16 KiB at most.
func (f *Finder[T]) Rest() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(bytes.TrimSpace(append(f.rest[:len(f.rest):len(f.rest)], f.line...)))
}

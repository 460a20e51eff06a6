package shard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Record says that a spec has ended. A test binary in a guest writes one after each spec,
// between whatever else is printed: a record separator, JSON and a newline (RFC 7464).
type Record struct{ Text string }

const separator = 0x1e

// Write writes a record.
func (r Record) Write(to io.Writer) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "%c%s\n", separator, content)
	return err
}

// kept is how many bytes of the other output are kept.
const kept = 16 << 10

// Records takes what a guest prints and finds the records in it.
type Records struct {
	Each func(Record)

	mu   sync.Mutex
	line []byte // the beginning of a record
	rest []byte
}

// Write implements io.Writer.
func (r *Records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range p {
		switch {
		case b == separator:
			r.line = []byte{separator}
		case len(r.line) == 0:
			r.rest = append(r.rest, b)
		case b == '\n':
			r.end()
		default:
			r.line = append(r.line, b)
		}
	}
	r.rest = r.rest[max(0, len(r.rest)-kept):]
	return len(p), nil
}

// end takes a line that begins with the separator.
func (r *Records) end() {
	var record Record
	if err := json.Unmarshal(r.line[1:], &record); err == nil {
		r.Each(record)
	} else {
		r.rest = append(append(r.rest, r.line...), '\n')
	}
	r.line = nil
}

// Rest is the end of what was printed beside the records.
func (r *Records) Rest() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(bytes.TrimSpace(append(r.rest[:len(r.rest):len(r.rest)], r.line...)))
}

package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// The measuring process reports its progress on its standard output, between whatever else
// is printed there: a record separator, JSON and a newline (RFC 7464). From a guest there is
// no other way while it runs.
const separator = 0x1e

// write writes a step of the audit as a record.
func (p Progress) write(to io.Writer) error {
	content, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("reporting progress: %w", err)
	}
	_, err = fmt.Fprintf(to, "%c%s\n", separator, content)
	return err
}

// A record has at most maxRecord bytes, and maxRest bytes of the other output are kept.
const (
	maxRecord = 64 << 10
	maxRest   = 16 << 10
)

// stream takes the output of the measuring process and finds the records in it. It is safe
// for concurrent use.
type stream struct {
	each func(Progress)

	mu     sync.Mutex
	record []byte // the beginning of a record
	rest   []byte
}

// Write implements io.Writer. It never fails.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range p {
		switch {
		case b == separator:
			s.record = []byte{separator}
		case len(s.record) == 0:
			s.rest = append(s.rest, b)
		case b == '\n':
			s.end()
		case len(s.record) == maxRecord: // no record
			s.rest = append(append(s.rest, s.record...), b)
			s.record = nil
		default:
			s.record = append(s.record, b)
		}
	}
	s.rest = s.rest[max(0, len(s.rest)-maxRest):]
	return len(p), nil
}

// end takes a record that is complete.
func (s *stream) end() {
	var p Progress
	if err := json.Unmarshal(bytes.TrimRight(s.record[1:], "\r"), &p); err == nil {
		s.each(p)
	} else {
		s.rest = append(append(s.rest, s.record...), '\n')
	}
	s.record = nil
}

// other returns the last output beside the records.
func (s *stream) other() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(bytes.TrimSpace(append(s.rest[:len(s.rest):len(s.rest)], s.record...)))
}

package explore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// fake is a subject without a guest: a client connects, sends a request 1 s later, and is answered
// 1 ms after that. A request is lost if nothing gets through while it is under way.
type fake struct {
	broken  func(Run) []Violation // nil: that of a lost request
	trouble func(Run) error       // kills the guest; nil: nothing does

	sync.Mutex
	made, batches int
}

func (f *fake) Quiet(context.Context, uint64) (Quiet, error) {
	ms := time.Millisecond
	return Quiet{Of: "a fake", Precision: 20 * time.Microsecond, Lasted: 1010 * ms, Events: []Event{
		{0, "the client sends SYN"}, {150 * time.Microsecond, "the server sends SYN-ACK"},
		{1000 * ms, "the client sends 5 bytes"}, {1001 * ms, "the server sends 5 bytes"},
	}}, nil
}

func (f *fake) Try(ctx context.Context, batch []Run, keep string) ([]Outcome, error) {
	f.Lock()
	defer f.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.batches++
	var all []Outcome
	for _, run := range batch {
		if f.trouble != nil {
			if err := f.trouble(run); err != nil {
				return nil, err
			}
		}
		f.made++
		broken := f.broken
		if broken == nil {
			broken = lost
		}
		all = append(all, Outcome{Violations: broken(run)})
	}
	if keep != "" {
		if err := os.MkdirAll(keep, 0o755); err != nil {
			return nil, err
		}
		return all, os.WriteFile(filepath.Join(keep, "timeline.txt"), fmt.Append(nil, batch[0].Words()), 0o644)
	}
	return all, nil
}

// lost says that the request is lost if the fault is there while it is under way, and for as
// long as it is sent again.
func lost(r Run) []Violation {
	for _, s := range r.Strikes {
		until := s.At + s.Healed
		if s.At <= 1000500*time.Microsecond && (s.Healed == 0 || until > 1000*time.Millisecond) {
			return []Violation{{"request lost", fmt.Sprintf("%s expected an answer within 10 s, and there was none after %v", s.Fault, s.Healed)}}
		}
	}
	return nil
}

const drop = "drop in both directions"

// explore explores a fake in a directory.
func (f *fake) explore(t *testing.T, directory string, change func(*Config)) (*Explored, error) {
	t.Helper()
	c := Config{Subject: f, Command: "halfopen explore -f x", Report: directory, Wish: Wish{Seed: 1}}
	if change != nil {
		change(&c)
	}
	return Instants(t.Context(), c)
}

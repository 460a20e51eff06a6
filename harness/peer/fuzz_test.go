package peer

import (
	"encoding/json"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// A program writes what it likes: events, or lines that are kept cut off.
func FuzzLine(f *testing.F) {
	event, err := json.Marshal(Event{Name: Ready, Peer: "192.0.2.1:5000", N: 3, Text: "x"})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(event), "{", `{"event":""}`, `{"event":"x","at":"never"}`, `{"event":"x","for":-9223372036854775808}`, "a line", "\x00\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &Program{Name: "program", host: "server", timeline: timeline.New(), fresh: make(chan struct{})}
		for range 2 {
			p.line(text)
		}
		if len(p.events)+len(p.output) != 2 || len(p.Output()) > 2*(longestLine+1) {
			t.Errorf("it keeps %d events and %d bytes", len(p.events), len(p.Output()))
		}
		_ = p.timeline.String()
	})
}

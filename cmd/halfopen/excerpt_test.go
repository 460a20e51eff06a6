package main

import (
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Two programs that talk each second: the fault is between hundreds of packets.
func TestTheFaultAndWhatFollowsAreAlwaysShown(t *testing.T) {
	began := time.Now()
	events := timeline.New()
	add := func(second int, kind timeline.Kind, what string) {
		events.Add(timeline.Event{At: began.Add(time.Duration(second) * time.Second), Who: "server", Kind: kind, What: what})
	}
	for second := range 500 {
		add(second, timeline.Packet, "chatter")
		switch second {
		case 200:
			add(second, timeline.Step, "the server loses power")
		case 210:
			add(second, timeline.State, "shortly after the fault")
		case 300:
			add(second, timeline.Conntrack, "destroy ESTABLISHED the flow")
		}
	}
	lines := strings.Split(strings.TrimRight(events.String(), "\n"), "\n")
	kept := excerpt(lines, "FILE")
	text := strings.Join(kept, "\n")
	for _, part := range []string{"the server loses power", "shortly after the fault", "destroy ESTABLISHED the flow", "… 181 lines more, in FILE"} {
		if !strings.Contains(text, part) {
			t.Errorf("it does not have %q:\n%s", part, text)
		}
	}
	if kept[0] != lines[0] || kept[len(kept)-1] != lines[len(lines)-1] || len(kept) > 100 {
		t.Errorf("it has %d lines, from %q to %q", len(kept), kept[0], kept[len(kept)-1])
	}
	if short := lines[:30]; strings.Join(excerpt(short, "FILE"), "\n") != strings.Join(short, "\n") {
		t.Error("a short timeline is cut")
	}
}

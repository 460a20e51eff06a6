package harness

import (
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// A failure text shows the last events; the log of the failed test does not repeat them.
func TestTheLastEventsAreToldOnce(t *testing.T) {
	lab, err := Open(Config{Topology: Direct, Family: sock.IPv4, Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}()
	lab.Timeline().Addf("test", "step", "first")
	if text := lab.sinceRecent(); !strings.HasPrefix(text, "The last events of the timeline:\n") || !strings.Contains(text, "first") {
		t.Errorf("what nobody has told: %q", text)
	}
	if text := lab.sinceRecent(); strings.Contains(text, "first") {
		t.Errorf("what was told is told again: %q", text)
	}
	lab.Timeline().Addf("test", "step", "second")
	if text := lab.sinceRecent(); !strings.HasPrefix(text, "What happened after that:\n") || strings.Contains(text, "first") || !strings.Contains(text, "second") {
		t.Errorf("what came later: %q", text)
	}
}

package answer

import (
	"testing"
	"time"
)

func TestARowNamesTheProgramsBesideThatEndWithTheConnection(t *testing.T) {
	f := Fault{
		Verdict: Noticing, Noticed: &Event{What: "ETIMEDOUT", After: Of(92 * time.Second)}, Kernel: &Event{What: "ETIMEDOUT", After: Of(92 * time.Second)},
		Beside: []BesideEnd{{Name: "backend", How: "exit status 1", After: Of(93 * time.Second)}},
	}
	if got, want := f.Words(), "ETIMEDOUT after 92 s; beside: backend ends (exit status 1) after 93 s"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

package virtual

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestTheConsoleIsPassedOnAndItsEndKept(t *testing.T) {
	var out bytes.Buffer
	c := &console{to: &out}
	var all strings.Builder
	for i := range 30 {
		line := fmt.Sprintf("line %d\n", i)
		all.WriteString(line)
		for _, b := range []byte(line) { // it comes in any pieces
			_, _ = c.Write([]byte{b})
		}
	}
	if out.String() != all.String() {
		t.Errorf("passed on: %q", out.String())
	}
	if last := c.Last(); strings.Contains(last, "line 9\n") || !strings.HasPrefix(last, "line 10\n") || !strings.Contains(last, "line 29") {
		t.Errorf("the last lines are %q, expected those from 10 to 29", last)
	}
	if c.Trouble() != "" {
		t.Errorf("trouble: %s", c.Trouble())
	}
}

func TestWhatTheKernelSaysOfTerminalsIsNoise(t *testing.T) {
	var out bytes.Buffer
	c := &console{to: &out}
	for _, b := range []byte("check_one_sigio failed, errno = 13\nchecked\nno newline") {
		_, _ = c.Write([]byte{b})
	}
	if want := "checked\nno newline"; out.String() != want {
		t.Errorf("passed on: %q, expected %q", out.String(), want)
	}
	if last := c.Last(); strings.Contains(last, noise) {
		t.Errorf("the last lines are %q", last)
	}
}

func TestTheKernelsLastWordsAreNoticed(t *testing.T) {
	c := &console{}
	for _, piece := range []string{"[ 1.0] Out of mem", "ory: Killed process 77 (suites.test)\r\n", "[ 2.0] Kernel panic - not syncing: x\n"} {
		_, _ = c.Write([]byte(piece))
	}
	if want := noMemory; c.Trouble() != want {
		t.Errorf("trouble: %q, expected the first, %q", c.Trouble(), want)
	}
}

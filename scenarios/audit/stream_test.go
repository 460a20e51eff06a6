package audit

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func TestProgressIsFoundBetweenOtherOutput(t *testing.T) {
	steps := []Progress{{Stage: Measured, Trial: "process killed", Elapsed: answer.Of(32 * time.Second)}, {Stage: Measured, Trial: "a text with \x1e and\na line", Failed: true, RealTime: true}}
	var out bytes.Buffer
	out.WriteString("dots ••")
	for _, p := range steps {
		if err := p.write(&out); err != nil {
			t.Fatal(err)
		}
		out.WriteString("more\n")
	}
	out.WriteString("\x1enonsense\n")
	var found []Progress
	s := &stream{each: func(p Progress) { found = append(found, p) }}
	for _, b := range out.Bytes() { // it comes in any pieces
		_, _ = s.Write([]byte{b})
	}
	if !slices.Equal(found, steps) {
		t.Errorf("found %+v, expected %+v", found, steps)
	}
	if other := s.other(); other != "dots ••more\nmore\n\x1enonsense" {
		t.Errorf("the other output is %q", other)
	}
}

func TestTheEndOfOtherOutputIsKept(t *testing.T) {
	s := &stream{}
	for range 3 * maxRest {
		_, _ = s.Write([]byte("x"))
	}
	_, _ = s.Write([]byte("the end"))
	if other := s.other(); len(other) != maxRest || !bytes.HasSuffix([]byte(other), []byte("xthe end")) {
		t.Errorf("%d bytes are kept, which end with %q", len(other), other[max(0, len(other)-10):])
	}
}

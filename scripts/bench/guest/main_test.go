package main

import "testing"

func TestTheFirstDotIsSeenAlsoWhenItComesInPieces(t *testing.T) {
	f := &firstSpec{}
	for i, piece := range []string{"Will run 1 of 655 specs\n", "\xe2", "\x80", "\xa2\n"} {
		if !f.at.IsZero() {
			t.Errorf("it is seen before piece %d", i)
		}
		_, _ = f.Write([]byte(piece))
	}
	if f.at.IsZero() {
		t.Error("it is not seen")
	}
}

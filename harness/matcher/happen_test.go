package matcher_test

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/matcher"
)

func TestHappen(t *testing.T) {
	clock(t, func(t *testing.T) {
		began := time.Now()
		for after, want := range map[time.Duration]bool{199 * ms: false, 200 * ms: true, 300 * ms: true, 301 * ms: false} {
			if ok, err := matcher.Happen(window()).Match(began.Add(after)); ok != want || err != nil {
				t.Errorf("after %v: %v, %v; expected %v", after, ok, err, want)
			}
		}
		if _, err := matcher.Happen(window()).Match("noon"); err == nil {
			t.Error("a text is taken for an instant")
		}
	})
}

func TestHappenSaysHowItLiesToTheWindow(t *testing.T) {
	clock(t, func(t *testing.T) {
		m, at := matcher.Happen(window()), time.Now().Add(301*ms)
		if _, err := m.Match(at); err != nil {
			t.Fatal(err)
		}
		want := "Expected it to have happened\n  between 200ms and 300ms after the instant given;\nit happened\n  after 301ms: too late"
		if got := m.FailureMessage(at); got != want {
			t.Errorf("got\n%s\nexpected\n%s", got, want)
		}
	})
}

package tests_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/explore"
	"github.com/halfopen-lab/halfopen/scenarios/explore/tests"
)

// opened opens a test of docs/examples/orders.
func opened(t *testing.T, name string) *tests.Subject {
	t.Helper()
	t.Chdir("../../../docs/examples/orders")
	s, err := tests.Open(t.Context(), tests.Test{Run: "^" + name + "$"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTheQuietRunHasWhatHappens(t *testing.T) {
	s := opened(t, "TestHasty")
	q, err := s.Quiet(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(q.Of, q.Lasted)
	for _, e := range q.Events {
		t.Log(e.At, e.What)
	}
	began := time.Now()
	var batch []explore.Run
	for i := range 32 {
		batch = append(batch, explore.Run{Seed: 1, Strikes: []explore.Strike{{Fault: "state flushed, RST to the sender", At: time.Duration(i) * 10 * time.Millisecond}}})
	}
	outcomes, err := s.Try(t.Context(), batch, "")
	t.Log(err, time.Since(began))
	for i, o := range outcomes {
		t.Log(batch[i].Strikes[0].At, o)
	}
	_ = slices.Equal[[]int]
	keep := filepath.Join(t.TempDir(), "keep")
	o, err := s.Try(t.Context(), batch[5:6], keep)
	t.Log(o, err)
	e, _ := os.ReadDir(keep)
	t.Log(e)
}

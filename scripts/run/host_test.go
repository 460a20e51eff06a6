package run

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

func TestAnInterruptedRunOnTheHostStillWritesItsReport(t *testing.T) {
	t.Chdir("../..") // the suites are there
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// When the first specs have ended others are in the middle of their waits. No
	// process is at its first one, which asks for what the machine can do.
	ended := 0
	s := Suites{Procs: 4, Seed: 1, Focus: "eartbeat", Report: t.TempDir(), Output: writer(func(p []byte) {
		if ended += bytes.Count(p, []byte("•")); ended >= 8 {
			cancel()
		}
	})}
	reports, err := s.Host(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if specs := Specs(reports); specs.CountWithState(types.SpecStateInterrupted) == 0 || specs.CountWithState(types.SpecStateInterrupted) == len(specs) {
		t.Errorf("of %d specs %d were interrupted, expected some", len(specs), specs.CountWithState(types.SpecStateInterrupted))
	}
	if reasons := Reasons(reports); !slices.Contains(reasons, "Interrupted by User") {
		t.Errorf("the reasons are %q", reasons)
	}
}

func TestOnTheHostAFocusThatMatchesNothingIsAnError(t *testing.T) {
	t.Chdir("../..")
	s := Suites{Procs: 1, Seed: 1, Focus: "kepalive", Report: t.TempDir()}
	if _, err := s.Host(t.Context()); err == nil || !strings.Contains(err.Error(), `no spec's text matches "kepalive"`) {
		t.Errorf("running no spec: %v", err)
	}
}

// writer is a function that takes what is written.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

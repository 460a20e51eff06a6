package suites

import (
	"context"
	"errors"
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
	s := Settings{Procs: 4, Seed: 1, Focus: "eartbeat", Ended: func() {
		if ended++; ended >= 8 {
			cancel()
		}
	}}
	prepared, err := OnHost(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = prepared.Close() }()
	report, err := prepared.Run(ctx, s, t.TempDir())
	if !errors.Is(err, context.Canceled) || report == nil {
		t.Fatalf("there is a report: %v, error %v", report != nil, err)
	}
	specs := report.Specs()
	if interrupted := specs.CountWithState(types.SpecStateInterrupted); interrupted == 0 || interrupted == len(specs) {
		t.Errorf("of %d specs %d were interrupted, expected some", len(specs), interrupted)
	}
	if reasons := report.Reasons(); !slices.Contains(reasons, "Interrupted by User") {
		t.Errorf("the reasons are %q", reasons)
	}
}

func TestOnTheHostAFocusThatMatchesNothingIsAnError(t *testing.T) {
	t.Chdir("../..")
	if _, err := OnHost(t.Context(), Settings{Focus: "kepalive"}); err == nil || !strings.Contains(err.Error(), `no spec's text matches "kepalive"`) {
		t.Errorf("running no spec: %v", err)
	}
}

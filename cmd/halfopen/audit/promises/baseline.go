package promises

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Compare is what came of the promise that all is as it was in an earlier answer: a
// result for each thing that it tells, which says from what to what it has changed. Times
// may differ by the tolerance of harness/oracle, or a second. Answers of which one has
// looked for longer are an error: what happens late is only in that one.
func Compare(was, is *answer.Answer) ([]Result, error) {
	if was.RealTime != is.RealTime || !near(was.Watched, is.Watched) {
		return nil, fmt.Errorf("the baseline watched each fault for %v, in %s, and this audit for %v, in %s: they cannot be compared (--watch, --host, --update)",
			was.Watched, was.Time(), is.Watched, is.Time())
	}
	var results []Result
	compare := func(what string, same bool, from, to string) {
		r := Result{Promise: what + ": as in the baseline"}
		if !same {
			r.Broken = fmt.Sprintf("%s: from %s to %s", what, from, to)
		}
		results = append(results, r)
	}
	from, to := settings(was.Settings), settings(is.Settings)
	compare("settings", from == to, from, to)
	compare("it ends an idle session", sameEvent(was.Wire.Ended, is.Wire.Ended), event(was.Wire.Ended), event(is.Wire.Ended))
	compare("heartbeat", sameBeat(was.Wire.Heartbeat, is.Wire.Heartbeat), beat(was.Wire.Heartbeat), beat(is.Wire.Heartbeat))
	for _, row := range is.Faults {
		at := slices.IndexFunc(was.Faults, func(f answer.Fault) bool { return name(f) == name(row) })
		if at < 0 {
			results = append(results, Result{Promise: name(row) + ": as in the baseline", Broken: name(row) + ": not in the baseline"})
			continue
		}
		old := was.Faults[at]
		compare(name(row), same(old, row), fmt.Sprintf("%q", old.Words()), fmt.Sprintf("%q", row.Words()))
	}
	for _, old := range was.Faults {
		if !slices.ContainsFunc(is.Faults, func(f answer.Fault) bool { return name(f) == name(old) }) {
			results = append(results, Result{Promise: name(old) + ": as in the baseline", Broken: name(old) + ": in the baseline, and not measured now"})
		}
	}
	for _, p := range is.Presets {
		for _, old := range was.Presets {
			if old.Name == p.Name {
				compare("behind "+p.Name, old.Outcome == p.Outcome, old.Outcome, p.Outcome)
			}
		}
	}
	return results, nil
}

func same(a, b answer.Fault) bool {
	return a.Verdict == b.Verdict && sameEvent(a.Kernel, b.Kernel) && sameEvent(a.Noticed, b.Noticed) && sameEvent(a.Exit, b.Exit)
}

func sameEvent(a, b *answer.Event) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.What == b.What && near(a.After, b.After)
}

func near(a, b answer.Seconds) bool {
	return (a.Duration() - b.Duration()).Abs() <= max(time.Second, oracle.Tolerance(a.Duration()))
}

func sameBeat(a, b *answer.Heartbeat) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.By == b.By && near(a.Period, b.Period)
}

func event(e *answer.Event) string {
	if e == nil {
		return "never"
	}
	return fmt.Sprintf("%q after %v", e.What, e.After)
}

func beat(h *answer.Heartbeat) string {
	if h == nil {
		return "none"
	}
	return fmt.Sprintf("every %v by the %s", h.Period, h.By)
}

func settings(s *answer.Settings) string {
	if s == nil {
		return "unknown"
	}
	return fmt.Sprintf("keepalive %t %g/%g/%d, user timeout %g s", s.Keepalive,
		s.Idle.Duration().Seconds(), s.Interval.Duration().Seconds(), s.Count, s.UserTimeout.Duration().Seconds())
}

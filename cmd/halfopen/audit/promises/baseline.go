package promises

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Changes are what is not as it was in an earlier answer, a line each, from what to
// what. Times may differ by the tolerance of harness/oracle, or a second.
func Changes(was, is *answer.Answer) []string {
	var changes []string
	compare := func(what, from, to string) {
		if from != to {
			changes = append(changes, fmt.Sprintf("%s: from %s to %s", what, from, to))
		}
	}
	compare("settings", settings(was.Settings), settings(is.Settings))
	if !sameEvent(was.Wire.Ended, is.Wire.Ended) {
		compare("it ends an idle session", event(was.Wire.Ended), event(is.Wire.Ended))
	}
	if !sameBeat(was.Wire.Heartbeat, is.Wire.Heartbeat) {
		compare("heartbeat", beat(was.Wire.Heartbeat), beat(is.Wire.Heartbeat))
	}
	for _, row := range is.Faults {
		at := slices.IndexFunc(was.Faults, func(f answer.Fault) bool { return name(f) == name(row) })
		if at < 0 {
			changes = append(changes, name(row)+": not in the baseline")
			continue
		}
		if old := was.Faults[at]; !same(old, row) {
			changes = append(changes, fmt.Sprintf("%s: from %q to %q", name(row), old.Words(), row.Words()))
		}
	}
	for _, old := range was.Faults {
		if !slices.ContainsFunc(is.Faults, func(f answer.Fault) bool { return name(f) == name(old) }) {
			changes = append(changes, name(old)+": in the baseline, and not measured now")
		}
	}
	for _, p := range is.Presets {
		for _, old := range was.Presets {
			if old.Name == p.Name {
				compare("behind "+p.Name, old.Outcome, p.Outcome)
			}
		}
	}
	return changes
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

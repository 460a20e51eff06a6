package answer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Compare returns the outcome of the promise that an answer is as an earlier one was: a
// result for each of its parts, which says from what to what it has changed. Durations may
// differ by a second, or by the tolerance of harness/oracle. Answers that were watched for
// different durations are an error: what happens late is only in one of them; and so are answers
// of one family and of both.
func Compare(was, is *Answer) ([]Result, error) {
	results, err := compareOne(was, is)
	switch {
	case err != nil || was.OverIPv6 == nil && is.OverIPv6 == nil:
		return results, err
	case was.OverIPv6 == nil || is.OverIPv6 == nil:
		return nil, errors.New("one of the baseline and this audit is of both families, and the other of one: they cannot be compared (--family, --update)")
	case was.OverIPv6.Trouble != is.OverIPv6.Trouble:
		return append(results, Result{Promise: "over IPv6: as in the baseline", Broken: fmt.Sprintf("over IPv6: from %q to %q", was.OverIPv6.Trouble, is.OverIPv6.Trouble)}), nil
	case is.OverIPv6.Trouble != "":
		return results, nil
	}
	over, err := compareOne(was.OverIPv6, is.OverIPv6)
	return append(results, overIPv6(over)...), err
}

// compareOne compares the answers of one family.
func compareOne(was, is *Answer) ([]Result, error) {
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
	from, to := was.Settings.line(), is.Settings.line()
	if is.Program.SCTP {
		from, to = strings.Join(was.Association.Lines(), ", "), strings.Join(is.Association.Lines(), ", ")
	}
	compare("settings", from == to, from, to)
	if len(was.Connections) > 0 { // an older answer does not have them
		from, to = strings.Join(was.SettingsLines(), "; "), strings.Join(is.SettingsLines(), "; ")
		compare("connections", from == to, fmt.Sprintf("%q", from), fmt.Sprintf("%q", to))
	}
	compare("it ends an idle session", sameEvent(was.Wire.Ended, is.Wire.Ended), event(was.Wire.Ended), event(is.Wire.Ended))
	compare("heartbeat", sameBeat(was.Wire.Heartbeat, is.Wire.Heartbeat), beat(was.Wire.Heartbeat), beat(is.Wire.Heartbeat))
	for _, row := range is.Faults {
		at := slices.IndexFunc(was.Faults, func(f Fault) bool { return f.Title() == row.Title() })
		if at < 0 {
			results = append(results, Result{Promise: row.Title() + ": as in the baseline", Broken: row.Title() + ": not in the baseline"})
			continue
		}
		old := was.Faults[at]
		compare(row.Title(), same(old, row), fmt.Sprintf("%q", old.Words()), fmt.Sprintf("%q", row.Words()))
		if row.Recovery != nil && old.Recovery != nil { // an older answer does not have it
			compare(row.Title()+", recovery", sameRecovery(old.Recovery, row.Recovery), fmt.Sprintf("%q", old.Recovery.Words()), fmt.Sprintf("%q", row.Recovery.Words()))
		}
	}
	for _, old := range was.Faults {
		if !slices.ContainsFunc(is.Faults, func(f Fault) bool { return f.Title() == old.Title() }) {
			results = append(results, Result{Promise: old.Title() + ": as in the baseline", Broken: old.Title() + ": in the baseline, and not measured now"})
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

func same(a, b Fault) bool {
	return a.Verdict == b.Verdict && sameEvent(a.Kernel, b.Kernel) && sameEvent(a.Noticed, b.Noticed) && sameEvent(a.Exit, b.Exit) &&
		slices.EqualFunc(a.Connections, b.Connections, sameOutcome)
}

func sameOutcome(a, b ConnectionOutcome) bool {
	return a.Verdict == b.Verdict && sameEvent(a.Kernel, b.Kernel) && sameEvent(a.Noticed, b.Noticed)
}

// sameRecovery compares how, when, and with which settings the program worked again.
func sameRecovery(a, b *Recovery) bool {
	wasAfter, was := a.Recovered()
	after, is := b.Recovered()
	return a.Outcome == b.Outcome && was == is && near(Of(wasAfter), Of(after)) && a.Settings.line() == b.Settings.line() &&
		a.Unanswered == b.Unanswered && a.Repeated == b.Repeated
}

func sameEvent(a, b *Event) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.What == b.What && near(a.After, b.After)
}

func near(a, b Seconds) bool {
	return (a.Duration() - b.Duration()).Abs() <= max(time.Second, oracle.Tolerance(a.Duration()))
}

func sameBeat(a, b *Heartbeat) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.By == b.By && near(a.Period, b.Period)
}

func event(e *Event) string {
	if e == nil {
		return "never"
	}
	return fmt.Sprintf("%q after %v", e.What, e.After)
}

func beat(h *Heartbeat) string {
	if h == nil {
		return "none"
	}
	return fmt.Sprintf("every %v by the %s", h.Period, h.By)
}

// line returns the settings in one line.
func (s *Settings) line() string {
	if s == nil {
		return "unknown"
	}
	return fmt.Sprintf("keepalive %t %g/%g/%d, user timeout %g s", s.Keepalive,
		s.Idle.Duration().Seconds(), s.Interval.Duration().Seconds(), s.Count, s.UserTimeout.Duration().Seconds())
}

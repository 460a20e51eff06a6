package answer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Change is a part of an answer that is otherwise in another one. Was or Is is empty where only one
// of the two has the part.
type Change struct{ What, Was, Is string }

// Changes returns what an answer has otherwise than an earlier one. Durations may differ as they may
// for Compare, and the same answers cannot be compared.
func Changes(was, is *Answer) ([]Change, error) {
	if _, err := Compare(was, is); err != nil {
		return nil, err
	}
	changes, err := changesOf(was, is)
	if err != nil || is.OverIPv6 == nil || is.OverIPv6.Trouble != "" || was.OverIPv6.Trouble != "" {
		return changes, err
	}
	over, err := changesOf(was.OverIPv6, is.OverIPv6)
	for _, c := range over {
		c.What = "over IPv6: " + c.What
		changes = append(changes, c)
	}
	return changes, err
}

// BetweenFamilies returns what an answer of both families has otherwise over IPv6 (Is) than over
// IPv4 (Was).
func (a *Answer) BetweenFamilies() ([]Change, error) { return changesOf(a, a.OverIPv6) }

// changesOf returns the parts of two answers of one family that differ.
func changesOf(was, is *Answer) (changes []Change, err error) {
	parts, err := partsOf(was, is)
	for _, p := range parts {
		if !p.same {
			changes = append(changes, p.Change)
		}
	}
	return changes, err
}

// part is a part of two answers.
type part struct {
	Change
	same           bool
	sentence       bool // Was and Is are sentences
	added, removed bool // only the later answer has it, or only the earlier one
}

// partsOf returns the parts of two answers of one family.
func partsOf(was, is *Answer) (parts []part, err error) {
	if was.RealTime != is.RealTime || !near(was.Watched, is.Watched) {
		return nil, fmt.Errorf("the baseline watched each fault for %v, in %s, and this audit for %v, in %s: they cannot be compared (--watch, --host, --update)",
			was.Watched, was.Time(), is.Watched, is.Time())
	}
	compare := func(what string, same, sentence bool, from, to string) {
		parts = append(parts, part{Change: Change{what, from, to}, same: same, sentence: sentence})
	}
	from, to := was.Settings.line(), is.Settings.line()
	if is.Program.SCTP {
		from, to = strings.Join(was.Association.Lines(), ", "), strings.Join(is.Association.Lines(), ", ")
	}
	compare("settings", from == to, false, from, to)
	if len(was.Connections) > 0 { // an older answer does not have them
		from, to = strings.Join(was.SettingsLines(), "; "), strings.Join(is.SettingsLines(), "; ")
		compare("connections", from == to, true, from, to)
	}
	compare("it ends an idle session", sameEvent(was.Wire.Ended, is.Wire.Ended), false, event(was.Wire.Ended), event(is.Wire.Ended))
	compare("heartbeat", sameBeat(was.Wire.Heartbeat, is.Wire.Heartbeat), false, beat(was.Wire.Heartbeat), beat(is.Wire.Heartbeat))
	for _, row := range is.Faults {
		at := slices.IndexFunc(was.Faults, func(f Fault) bool { return f.Title() == row.Title() })
		if at < 0 {
			parts = append(parts, part{Change: Change{What: row.Title(), Is: row.Words()}, added: true})
			continue
		}
		old := was.Faults[at]
		compare(row.Title(), same(old, row), true, old.Words(), row.Words())
		if row.Recovery != nil && old.Recovery != nil { // an older answer does not have it
			compare(row.Title()+", recovery", sameRecovery(old.Recovery, row.Recovery), true, old.Recovery.Words(), row.Recovery.Words())
		}
	}
	for _, old := range was.Faults {
		if !slices.ContainsFunc(is.Faults, func(f Fault) bool { return f.Title() == old.Title() }) {
			parts = append(parts, part{Change: Change{What: old.Title(), Was: old.Words()}, removed: true})
		}
	}
	for _, p := range is.Presets {
		for _, old := range was.Presets {
			if old.Name == p.Name {
				compare("behind "+p.Name, old.Outcome == p.Outcome, false, old.Outcome, p.Outcome)
			}
		}
	}
	return parts, nil
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

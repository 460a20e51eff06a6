package answer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios"
)

// fullTitle returns the title of the fault that ends and that a promise names: in full, or by its
// first words, which stand for the fault with the value that audits measure by default.
func fullTitle(name string) string {
	if _, _, err := ParseTitle(name); err == nil {
		return canonical(name)
	}
	for _, k := range scenarios.Kinds() {
		title := k.Example()
		if strings.HasPrefix(title, "idle timeout") {
			continue // several begin so
		}
		if f, err := scenarios.Parse(title); err != nil || !ends(f) {
			continue
		}
		if first, _, found := strings.Cut(title, ","); found && first == strings.TrimSpace(name) {
			return title
		}
	}
	return canonical(name)
}

// ends reports whether a program can recover from a fault: it ends, or only ends connections.
func ends(f scenarios.Named) bool {
	switch f.(type) {
	case scenarios.Ending, scenarios.PeerResets, scenarios.ForgedReset, scenarios.IdleTimeout:
		return true
	}
	return false
}

// validateRecovery reports what is wrong with a promise of recovery.
func (p Promises) validateRecovery(fault string, has func(fault string) error) error {
	title := fullTitle(fault)
	if err := has(title); err != nil {
		return err
	}
	f, _, err := ParseTitle(title)
	switch {
	case err != nil:
		return err
	case !ends(f):
		return fmt.Errorf("%q does not end: nothing recovers from it", fault)
	case p.Recovers[fault] <= 0:
		return fmt.Errorf("%q: the duration %v must be positive", fault, p.Recovers[fault])
	}
	return nil
}

// recovers returns the outcome of the promise that the program works again within a time after a
// fault.
func (a *Answer) recovers(fault string, limit time.Duration) Result {
	title := fullTitle(fault)
	r := Result{Promise: fmt.Sprintf("%s: to work again within %v", title, Of(limit))}
	at := slices.IndexFunc(a.Faults, func(f Fault) bool { return f.Title() == title })
	if at >= 0 && a.Faults[at].Verdict == Alive && a.Faults[at].Recovery == nil {
		return r // a firewall that did not forget: there was nothing to recover from
	}
	if at < 0 || a.Faults[at].Recovery == nil {
		r.Open = r.Promise + "; it was not measured"
		if at >= 0 {
			r.Open = fmt.Sprintf("%s; what happened: %s", r.Promise, a.Faults[at].Words())
		}
		return r
	}
	is := a.Faults[at].Recovery
	after, ok := is.Recovered()
	switch {
	case ok && after <= limit:
	case !ok && is.Outcome != Exits && is.Within.Duration() < limit:
		r.Open = fmt.Sprintf("%s; what happened: %s", r.Promise, is.Words())
	default:
		r.Broken = fmt.Sprintf("%s; what happened: %s", r.Promise, is.Words())
	}
	return r
}

package answer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// table returns the rows of the faults for a page, the worst first, and below them those that
// could not be measured, each reason once.
func (a *Answer) table(short brevity) string {
	width, load := 0, len(Idle)
	measured := slices.DeleteFunc(slices.Clone(a.Faults), func(f Fault) bool { return f.Verdict == Unmeasured })
	for _, f := range measured {
		width, load = max(width, len(f.Name)), max(load, len(f.LoadWords()))
	}
	slices.SortStableFunc(measured, worstFirst)
	var b strings.Builder
	silenced := false
	for _, f := range measured {
		b.WriteString(folded(fmt.Sprintf("  %-*s  %-*s  ", width, f.Name, load, f.LoadWords()), f.Words()))
		silenced = silenced || f.LoadWords() == ownData
	}
	if silenced {
		b.WriteString("  own data: the program sent it after the fault, and nobody acknowledged it: keepalive is silent meanwhile\n")
	}
	return short.shortened(b.String() + a.unmeasured())
}

// worstFirst orders the rows: what is never noticed, what the kernel alone knows, and then what
// takes longest.
func worstFirst(a, b Fault) int {
	took := func(f Fault) Seconds {
		switch {
		case f.Noticed != nil:
			return f.Noticed.After
		case f.Exit != nil:
			return f.Exit.After
		}
		return 0
	}
	return cmp.Or(cmp.Compare(badness[b.Verdict], badness[a.Verdict]), cmp.Compare(took(b), took(a)))
}

// Reason returns why the row could not be measured, and what the program said last.
func (f Fault) Reason() string {
	if f.LastWords == "" {
		return f.Trouble
	}
	return f.Trouble + "; " + f.LastWords
}

// unmeasured returns the rows that could not be measured, with their titles together where the
// reason is the same. Of the last words it has those of the first.
func (a *Answer) unmeasured() string {
	titles, said := map[string][]string{}, map[string]string{}
	var reasons []string
	for _, f := range a.Faults {
		if f.Verdict != Unmeasured {
			continue
		}
		if titles[f.Trouble] == nil {
			reasons = append(reasons, f.Trouble)
			said[f.Trouble] = f.Reason()
		}
		titles[f.Trouble] = append(titles[f.Trouble], f.Title())
	}
	var b strings.Builder
	for _, reason := range reasons {
		b.WriteString(folded("  not measured: ", strings.Join(titles[reason], "; ")))
		b.WriteString(folded("    ", said[reason]))
	}
	return b.String()
}

package seeds

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Counts says what counts as a difference of two runs.
const Counts = `A difference is another outcome, or, of what one host does, another sort of event in its turn:
packets by their flags, role and length, and where they were lost; states of sockets and of flows;
errnos; what programs say; steps. Ports, sequence numbers, process numbers, times that lie as long
after the event before them within the oracle's tolerance (4 ms or an eighth), and the order of
what different hosts do are no difference.`

// Run is what one seed gave.
type Run struct {
	Seed    uint64
	Outcome string // in words; times in it are rounded, and count only in the events
	Ladder  *ladder.Ladder
	Trouble string // why there is no outcome; empty: there is one
}

// event is an event of a run as it is compared.
type event struct {
	at   time.Duration
	line string // as a timeline has it
	lane string // who does what sort of thing
	what string // without what may differ
}

// What may differ, and what stands for it. The order matters.
var different = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`((?:\d{1,3}\.){3}\d{1,3}):\d+`), "$1"}, // ports
	{regexp.MustCompile(`(\[[0-9a-f:]+\]):\d+`), "$1"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s|m|h)\b`), "TIME"},
	{regexp.MustCompile(`\bstarted \d+`), "started"}, // process numbers
	{regexp.MustCompile(`(?i)\b(pid|process) \d+`), "$1"},
}

func plain(text string) string {
	for _, d := range different {
		text = d.what.ReplaceAllString(text, d.with)
	}
	return text
}

// events returns the events of a run.
func (r Run) events() (all []event) {
	for _, rung := range r.Ladder.Rungs {
		who := "spec"
		if rung.Host >= 0 && rung.Host < len(r.Ladder.Hosts) {
			who = r.Ladder.Hosts[rung.Host].Name
		}
		e := event{at: rung.At, lane: who + " " + string(rung.Kind), what: plain(rung.Words())}
		text := rung.Words()
		switch {
		case rung.Arrow != nil:
			e.what = r.way(rung)
			text = e.what
			if _, numbers, ok := strings.Cut(rung.Text, " seq "); ok {
				text += ", seq " + numbers
			}
		case rung.Kind == ladder.Kind(timeline.Conntrack) && rung.Subject != "":
			e.what = fmt.Sprintf("%s: %s", plain(rung.Subject), rung.State)
		}
		e.line = fmt.Sprintf("%12.6f s  %-9s %-9s %s", rung.At.Seconds(), who, rung.Kind, text)
		all = append(all, e)
	}
	return all
}

// way returns what a packet is and how far it came: "SYN to the server".
func (r Run) way(rung ladder.Rung) string {
	to := "somebody"
	if rung.To >= 0 && rung.To < len(r.Ladder.Hosts) {
		to = "the " + r.Ladder.Hosts[rung.To].Name
	}
	what := rung.Brief
	if rung.Forged {
		what = "forged " + what
	}
	switch rung.End {
	case ladder.Dropped:
		return fmt.Sprintf("%s, dropped by %s", what, to)
	case ladder.Lost:
		return fmt.Sprintf("%s, lost after %s", what, to)
	}
	return fmt.Sprintf("%s to %s", what, to)
}

// lanes returns the events of each lane in their order.
func lanes(events []event) map[string][]event {
	all := map[string][]event{}
	for _, e := range events {
		all[e.lane] = append(all[e.lane], e)
	}
	return all
}

// Difference is where two runs differ first.
type Difference struct {
	At    time.Duration // since the beginning of the lab
	Where string        // the host and the sort of events: "client packet"
	What  string        // in words
	// Common is the last lines before, and Here and Other what the two timelines have from there.
	Common, Here, Other []string
}

// shown is how many lines of a timeline are shown from the first difference, and before it.
const (
	shown  = 14
	before = 4
)

// first returns the first difference of a run from another one; nil: they are equal.
func first(r, other Run) *Difference {
	here, there := r.events(), other.events()
	ours, theirs := lanes(here), lanes(there)
	var found *Difference
	note := func(at time.Duration, lane, what string) {
		if found == nil || at < found.At || at == found.At && lane < found.Where {
			found = &Difference{At: at, Where: lane, What: what}
		}
	}
	for lane := range union(ours, theirs) {
		if at, what, differs := inLane(ours[lane], theirs[lane]); differs {
			note(at, lane, what)
		}
	}
	if found == nil && plain(r.Outcome) != plain(other.Outcome) {
		found = &Difference{Where: "outcome", What: fmt.Sprintf("%s, and not %s", r.Outcome, other.Outcome)}
	}
	if found == nil {
		return nil
	}
	from := func(events []event) int {
		at := slices.IndexFunc(events, func(e event) bool { return e.at >= found.At-oracle.Tolerance(0) && e.lane == found.Where })
		if later := slices.IndexFunc(events, func(e event) bool { return e.at >= found.At-oracle.Tolerance(0) }); at < 0 || later < at {
			at = later
		}
		if at < 0 {
			return len(events)
		}
		return at
	}
	a, b := from(here), from(there)
	found.Common = lines(here[max(0, a-before):a])
	found.Here, found.Other = lines(here[a:min(len(here), a+shown)]), lines(there[b:min(len(there), b+shown)])
	return found
}

func union(a, b map[string][]event) map[string]bool {
	names := map[string]bool{}
	for _, m := range []map[string][]event{a, b} {
		for name := range m {
			names[name] = true
		}
	}
	return names
}

func lines(events []event) (all []string) {
	for _, e := range events {
		all = append(all, e.line)
	}
	return all
}

// inLane returns where two lanes differ first.
func inLane(here, there []event) (at time.Duration, what string, differs bool) {
	var last, otherLast time.Duration
	for i := range max(len(here), len(there)) {
		switch {
		case i >= len(here):
			return there[i].at, "has no more: the other goes on with " + there[i].what, true
		case i >= len(there):
			return here[i].at, "goes on with " + here[i].what + ", which the other has not", true
		case here[i].what != there[i].what:
			return min(here[i].at, there[i].at), fmt.Sprintf("%s, and the other %s", here[i].what, there[i].what), true
		}
		gap, other := here[i].at-last, there[i].at-otherLast
		if (gap - other).Abs() > oracle.Tolerance(max(gap, other)) {
			return min(here[i].at, there[i].at), fmt.Sprintf("%s %s after the event before it, and the other %s after it", here[i].what, gap.Round(time.Millisecond), other.Round(time.Millisecond)), true
		}
		last, otherLast = here[i].at, there[i].at
	}
	return 0, "", false
}

// Group is runs that are equal.
type Group struct {
	Seeds   []uint64
	Outcome string
	Differs *Difference // of its first run from the first of the largest group, whose own is nil
}

// Compare puts runs into groups of equal ones: the largest group first, then by their first seeds.
// Times are compared with the first run of a group. Runs without an outcome are equal if they have
// the same trouble.
func Compare(runs []Run) (groups []Group) {
	var firsts []Run
	for _, r := range runs {
		at := slices.IndexFunc(firsts, func(f Run) bool { return equal(r, f) })
		if at < 0 {
			firsts = append(firsts, r)
			groups = append(groups, Group{Seeds: []uint64{r.Seed}, Outcome: cmp.Or(r.Outcome, "not measured: "+r.Trouble)})
			continue
		}
		groups[at].Seeds = append(groups[at].Seeds, r.Seed)
	}
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(groups[b].Seeds) - len(groups[a].Seeds) })
	sorted := make([]Group, len(groups))
	for i, n := range order {
		sorted[i] = groups[n]
		if i > 0 && firsts[n].Trouble == "" && firsts[order[0]].Trouble == "" {
			sorted[i].Differs = first(firsts[n], firsts[order[0]])
		}
	}
	return sorted
}

func equal(a, b Run) bool {
	if a.Trouble != "" || b.Trouble != "" {
		return plain(a.Trouble) == plain(b.Trouble)
	}
	return first(a, b) == nil
}

// list returns seeds in words: "1-4, 7".
func list(seeds []uint64) string {
	var parts []string
	for i := 0; i < len(seeds); {
		j := i
		for j+1 < len(seeds) && seeds[j+1] == seeds[j]+1 {
			j++
		}
		if text := fmt.Sprint(seeds[i]); j == i {
			parts = append(parts, text)
		} else {
			parts = append(parts, fmt.Sprintf("%s-%d", text, seeds[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

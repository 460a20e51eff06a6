package explore

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// group is runs that break an invariant in one way when a fault strikes.
type group struct {
	fault string
	key   string
	hits  map[int][]hit // by way, with ascending instants
	runs  int
}

// hit is a violation, and the instant of the strike as a place in the plan.
type hit struct {
	instant int
	Violation
}

// groups are the groups of a plan.
type groups struct {
	plan *Plan
	by   map[string]*group
}

func newGroups(p *Plan) *groups { return &groups{p, map[string]*group{}} }

// numbers matches numbers, and times as they are written here and in Go: "2 h 31 min", "1m0s".
var numbers = regexp.MustCompile(`([0-9]+([.,:][0-9]+)*)( ?(h|min|ms|µs|ns|m|s)( ?[0-9]+([.,][0-9]+)*( ?(min|ms|m|s)))*\b)?`)

// sortOf returns what a line says without its numbers: times, ports and counts differ from run
// to run of one story.
func sortOf(line string) string { return numbers.ReplaceAllString(line, "#") }

// add adds a run that breaks invariants.
func (g *groups) add(instant, way int, violations []Violation) {
	var added []string // a run is once in a group
	for _, v := range violations {
		fault := g.plan.Ways[way].Fault
		key := strings.Join([]string{v.Invariant, fault, sortOf(v.Says)}, "\x00")
		if slices.Contains(added, key) {
			continue
		}
		added = append(added, key)
		if g.by[key] == nil {
			g.by[key] = &group{fault: fault, key: key, hits: map[int][]hit{}}
		}
		of := g.by[key]
		of.runs++
		of.hits[way] = append(of.hits[way], hit{instant, v})
	}
}

// sorted returns the groups, that with the most runs first.
func (g *groups) sorted() (all []*group) {
	for _, of := range g.by {
		for _, hits := range of.hits {
			slices.SortFunc(hits, func(a, b hit) int { return a.instant - b.instant })
		}
		all = append(all, of)
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(b.runs-a.runs, cmp.Compare(a.key, b.key))
	})
	return all
}

// first returns the way of the runs that tell the story best, and the earliest of them: the fault
// is healed soonest, or never where it must not be healed.
func (of *group) first(p *Plan) (way int, earliest hit) {
	way = -1
	for i, w := range p.Ways {
		if len(of.hits[i]) == 0 {
			continue
		}
		if way < 0 || w.Healed > 0 && (p.Ways[way].Healed == 0 || w.Healed < p.Ways[way].Healed) {
			way = i
		}
	}
	return way, of.hits[way][0]
}

// finding returns the group as it is told, with the run that tells it best.
func (of *group) finding(p *Plan) Finding {
	way, first := of.first(p)
	run := p.at(first.instant, way)
	f := Finding{Violation: first.Violation, Fault: of.fault, Runs: of.runs, First: run}
	f.set(run, p.Quiet)
	return f
}

// set sets the smallest run, and what happens around it in the quiet run.
func (f *Finding) set(run Run, q Quiet) {
	f.Smallest, f.After, f.Then = run, "", ""
	for _, e := range q.Events {
		if e.At > run.Strikes[0].At {
			f.Then = e.What
			return
		}
		f.After = e.What
	}
}

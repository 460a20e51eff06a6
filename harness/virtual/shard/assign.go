package shard

import (
	"cmp"
	"slices"
)

// fewest is the number of specs for which a further shard is worth its guest.
const fewest = 8

// hour is what an hour of waiting takes of a processor, where an ordinary spec takes 1:
// the kernel and the runtimes of programs wake up all the same.
const hour = 0.2

// cost is an estimate of the processor time that a spec takes.
func (s Spec) cost() float64 { return float64(s.Cost) + hour*s.Wait.Hours() }

// Assign says which specs each shard runs: of shard n, the places in the list are in
// element n-1, in order. Each spec is in one shard, and a group in one. The shards cost
// about the same. A run of few specs has empty shards at the end.
func (l List) Assign() [Count][]int {
	type unit struct {
		places []int
		cost   float64
	}
	var units []*unit
	groups := map[string]*unit{}
	for place, spec := range l {
		u := groups[spec.Group]
		if u == nil {
			u = &unit{}
			units = append(units, u)
		}
		if spec.Group != "" {
			groups[spec.Group] = u
		}
		u.places = append(u.places, place)
		u.cost += spec.cost()
	}
	// The dearest first, each to the shard that has least to do. Neighbours in the list,
	// which mostly do the same, get to different shards so.
	slices.SortStableFunc(units, func(a, b *unit) int { return cmp.Compare(b.cost, a.cost) })
	var shards [Count][]int
	var costs [Count]float64
	used := min(Count, max(1, len(l)/fewest))
	for _, u := range units {
		least := 0
		for i := range used {
			if costs[i] < costs[least] {
				least = i
			}
		}
		shards[least] = append(shards[least], u.places...)
		costs[least] += u.cost
	}
	for i := range shards {
		slices.Sort(shards[i])
	}
	return shards
}

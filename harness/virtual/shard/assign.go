package shard

import (
	"cmp"
	"slices"
)

// fewest is the number of units for which a further guest is worth its start.
const fewest = 8

// Assign says which units each shard runs: of shard n, the places in the list are in
// element n-1, in order. Each unit is in one shard, and a group in one. The shards cost
// about the same. A run of few units has empty shards at the end.
//
// A suite of few units stays in one shard, because each guest that runs a part of it
// starts its test binary once more.
func (l List) Assign() [Count][]int {
	var pieces []*piece
	for _, suite := range l.Suites(l.All()) {
		pieces = append(pieces, l.cut(l.Of(suite, l.All()))...)
	}
	return pack(pieces, min(Count, max(1, len(l)/fewest)))
}

// piece is what goes to a shard as a whole.
type piece struct {
	places []int
	cost   float64
}

// cut cuts a suite into pieces, each of which is worth starting its test binary.
func (l List) cut(places []int) []*piece {
	var units []*piece
	groups := map[string]*piece{}
	for _, place := range places {
		unit := l[place]
		p := groups[unit.Group]
		if p == nil {
			p = &piece{}
			units = append(units, p)
		}
		if unit.Group != "" {
			groups[unit.Group] = p
		}
		p.places = append(p.places, place)
		p.cost += unit.cost()
	}
	var pieces []*piece
	for _, places := range pack(units, min(Count, max(1, len(places)/fewest))) {
		if len(places) == 0 {
			continue
		}
		p := &piece{places: places}
		for _, place := range places {
			p.cost += l[place].cost()
		}
		pieces = append(pieces, p)
	}
	return pieces
}

// pack distributes pieces over so many shards. The dearest come first, each to the shard
// that has least to do. Neighbours in the list, which mostly do the same, get to different
// shards so.
func pack(pieces []*piece, used int) (shards [Count][]int) {
	pieces = slices.Clone(pieces)
	slices.SortStableFunc(pieces, func(a, b *piece) int { return cmp.Compare(b.cost, a.cost) })
	var costs [Count]float64
	for _, p := range pieces {
		least := 0
		for i := range used {
			if costs[i] < costs[least] {
				least = i
			}
		}
		shards[least] = append(shards[least], p.places...)
		costs[least] += p.cost
	}
	for i := range shards {
		slices.Sort(shards[i])
	}
	return shards
}

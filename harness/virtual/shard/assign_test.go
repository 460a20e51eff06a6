package shard

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// suite is the suite of specs.
var suite = Suite{Package: "example.com/specs", Ginkgo: "TestSpecs"}

// specs is a list like that of the suites: most specs wait for seconds, a few for days,
// and specs that do the same are neighbours.
func specs(n int) List {
	var l List
	for i := range n {
		wait := time.Duration(i%7) * time.Second
		switch {
		case i%80 == 0:
			wait = 120 * time.Hour
		case i%9 == 0:
			wait = 3 * time.Hour
		}
		l = append(l, Unit{Suite: suite, Name: fmt.Sprintf("spec %d", i), Location: ":0", Wait: wait, Cost: 1})
	}
	return l
}

func TestEachSpecIsInOneShardAndInOrderThere(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 17, 850} {
		var all []int
		for _, places := range specs(n).Assign() {
			if !slices.IsSorted(places) {
				t.Errorf("of %d specs a shard has %v, which is not in order", n, places)
			}
			all = append(all, places...)
		}
		slices.Sort(all)
		if len(all) != n || len(slices.Compact(slices.Clone(all))) != n || n > 0 && (all[0] != 0 || all[n-1] != n-1) {
			t.Errorf("of %d specs the shards have %v", n, all)
		}
	}
}

func TestShardsCostAboutTheSame(t *testing.T) {
	l := specs(850)
	var most, sum float64
	for _, places := range l.Assign() {
		cost := 0.0
		for _, place := range places {
			cost += l[place].cost()
		}
		most, sum = max(most, cost), sum+cost
	}
	if against := most * Count / sum; against > 1.02 {
		t.Errorf("the largest shard is %.3f of the mean", against)
	}
}

func TestNeighboursGetToDifferentShards(t *testing.T) {
	var l List
	for i := range 64 {
		l = append(l, Unit{Suite: suite, Name: fmt.Sprint(i), Cost: 1})
	}
	shards := l.Assign()
	for first := 0; first < len(l); first += Count {
		for n, places := range shards {
			among := 0
			for _, place := range places {
				if place >= first && place < first+Count {
					among++
				}
			}
			if among != 1 {
				t.Errorf("shard %d has %d of the specs from %d to %d, expected one", n+1, among, first, first+Count-1)
			}
		}
	}
}

func TestTheSameListGivesTheSameShards(t *testing.T) {
	first := specs(850).Assign()
	for range 20 {
		if again := specs(850).Assign(); !reflect.DeepEqual(again, first) {
			t.Fatal("the shards differ")
		}
	}
}

func TestAGroupStaysInOneShard(t *testing.T) {
	l := specs(100)
	grouped := []int{3, 4, 5, 40, 41, 99}
	for _, place := range grouped {
		l[place].Group = "an ordered container"
	}
	for n, places := range l.Assign() {
		inside := 0
		for _, place := range grouped {
			if slices.Contains(places, place) {
				inside++
			}
		}
		if inside != 0 && inside != len(grouped) {
			t.Errorf("shard %d has %d of the %d specs of a group", n+1, inside, len(grouped))
		}
	}
}

func TestFewSpecsNeedFewGuests(t *testing.T) {
	for n, expected := range map[int]int{1: 1, 7: 1, 8: 1, 15: 1, 16: 2, 30: 3, 64: 8, 850: 8} {
		used := 0
		for i, places := range specs(n).Assign() {
			if len(places) == 0 {
				continue
			}
			if used++; used != i+1 {
				t.Errorf("of %d specs shard %d has some, and one before it has none", n, i+1)
			}
		}
		if used != expected {
			t.Errorf("%d specs are in %d shards, expected %d", n, used, expected)
		}
	}
}

// A package of few tests is not worth a start of its binary in each guest.
func TestASuiteOfFewTestsStaysInOneShard(t *testing.T) {
	var l List
	for p := range 10 {
		for i := range 7 {
			l = append(l, Unit{Suite: Suite{Package: fmt.Sprintf("example.com/p%d", p)}, Name: fmt.Sprintf("Test%d", i), Cost: 1})
		}
	}
	used := 0
	for n, places := range l.Assign() {
		if len(places) > 0 {
			used++
		}
		for _, s := range l.Suites(places) {
			if of := l.Of(s, places); len(of) != 7 {
				t.Errorf("shard %d has %d of the 7 tests of %s", n+1, len(of), s.Package)
			}
		}
	}
	if used != Count {
		t.Errorf("%d tests of 10 packages are in %d shards, expected %d", len(l), used, Count)
	}
}

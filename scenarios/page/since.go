package page

import (
	"slices"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// changeView is what one run, or one family, has otherwise than another, with the ladders of both;
// empty: there is none.
type changeView struct {
	answer.Change
	WasLadder, IsLadder string
}

// changesSince returns the tests that went otherwise in another run, whose report is in a directory.
func (r *run) changesSince(before string) (changes []changeView, err error) {
	other, err := readRun(before)
	if err != nil {
		return nil, err
	}
	was, is := other.states(), r.states()
	ladders := map[string]string{}
	for _, red := range r.Red {
		ladders[red.key] = red.Ladder
	}
	for _, name := range sortedKeys(was, is) {
		if was[name] != is[name] {
			changes = append(changes, changeView{Change: answer.Change{What: name, Was: was[name], Is: is[name]}, IsLadder: ladders[name]})
		}
	}
	return changes, nil
}

// states returns the state of each test.
func (r *run) states() map[string]string {
	states := map[string]string{}
	for _, p := range r.Packages {
		for _, t := range p.Tests {
			states[p.Name+": "+t.Name] = t.State
		}
	}
	return states
}

func sortedKeys(maps ...map[string]string) (keys []string) {
	for _, m := range maps {
		for key := range m {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// cellsSince returns the cells of the detection matrix that another run, whose report is in a
// directory, has otherwise. A run without a matrix has the cells of the other one.
func cellsSince(before, directory string, ladderOf func(name string) string) (changes []changeView, err error) {
	was, err := readMatrix(before)
	if err != nil || was == nil {
		return nil, err
	}
	is, err := readMatrix(directory)
	if err != nil || is == nil {
		return nil, err
	}
	for _, d := range was.Differences(is) {
		v := changeView{Change: answer.Change{What: d.What, Was: d.Was, Is: d.Is}}
		if d.Ladder != "" {
			v.IsLadder = ladderOf(d.Ladder)
		}
		changes = append(changes, v)
	}
	return changes, nil
}

package seeds

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Most is how many seeds an exploration has at most.
const Most = 10_000

// Parse reads a list of seeds, "1-8" or "1,5,9-12", and returns them in their order, each once.
func Parse(text string) (seeds []uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.ParseUint(first, 10, 64)
		to := from
		if ranged && err == nil {
			to, err = strconv.ParseUint(last, 10, 64)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is not a list of seeds: write it as 1-8 or 1,5,9", text)
		case to < from:
			return nil, fmt.Errorf("the seeds %s run backwards: write the smaller one first", part)
		case to-from >= Most || len(seeds)+int(to-from) >= Most:
			return nil, fmt.Errorf("%q are more than %d seeds: choose fewer", text, Most)
		}
		for n := uint64(0); n <= to-from; n++ {
			seeds = append(seeds, from+n)
		}
	}
	slices.Sort(seeds)
	if seeds = slices.Compact(seeds); len(seeds) < 2 {
		return nil, fmt.Errorf("%q is one seed, and there is nothing to compare it with: choose two or more", text)
	}
	return seeds, nil
}

package shard

import (
	"fmt"
	"strconv"
	"strings"
)

// Count is the number of shards of a run. It does not depend on the machine: a spec has
// the same neighbours everywhere, and so the same bytes in the report.
const Count = 8

// Memory is what each guest is given unless told otherwise, in MiB.
const Memory = 512

// Parse reads the number of a shard, as in "3/8".
func Parse(text string) (number int, err error) {
	before, after, _ := strings.Cut(text, "/")
	number, err = strconv.Atoi(before)
	if of, ofErr := strconv.Atoi(after); err != nil || ofErr != nil || of != Count || number < 1 || number > Count {
		return 0, fmt.Errorf("%q is not a shard: choose from 1/%d to %d/%d", text, Count, Count, Count)
	}
	return number, nil
}

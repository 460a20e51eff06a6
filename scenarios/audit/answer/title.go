package answer

import (
	"strings"

	"github.com/halfopen-lab/halfopen/scenarios"
)

// ParseTitle returns the fault and the load of the row with a title: "host powered off, busy".
// Its error is that of scenarios.Parse.
func ParseTitle(title string) (f scenarios.Named, load string, err error) {
	fault, busy := strings.CutSuffix(strings.TrimSpace(title), ", "+Busy)
	load = Idle
	if busy {
		load = Busy
	}
	f, err = scenarios.Parse(fault)
	return f, load, err
}

// canonical returns a title as rows have it: with its value written in the one way in which it
// is printed. A title that no fault has is returned as it is.
func canonical(title string) string {
	f, load, err := ParseTitle(title)
	if err != nil {
		return title
	}
	return Title(f.Title(), load)
}

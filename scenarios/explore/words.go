package explore

import (
	"fmt"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

// inWords returns a time as it is read and, without its space, typed: "3.2 ms", "1 s".
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		is   time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.is {
			text := fmt.Sprintf("%.9f", float64(d)/float64(unit.is))
			return strings.TrimRight(strings.TrimRight(text, "0"), ".") + " " + unit.name
		}
	}
	return fmt.Sprintf("%d ns", d)
}

// Words returns what is done in a run: "drop in both directions 3.2 ms after the first packet,
// healed after 1 s".
func (r Run) Words() string {
	var all []string
	for _, s := range r.Strikes {
		text := fmt.Sprintf("%s %s after the first packet", s.Fault, inWords(s.At))
		if s.At == 0 {
			text = s.Fault + " with the first packet"
		}
		if s.Healed > 0 {
			text += ", healed " + inWords(s.Healed) + " later"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// Flags returns the flags of halfopen explore that make the run, and no other, as a shell has them.
func (r Run) Flags() string {
	var all []string
	for _, s := range r.Strikes {
		healed := "never"
		if s.Healed > 0 {
			healed = s.Healed.String()
		}
		all = append(all, "--fault", s.Fault, "--at", s.At.String(), "--healed", healed)
	}
	if r.Seed != 1 {
		all = append(all, "--seed", fmt.Sprint(r.Seed))
	}
	return root.JoinCommand(all)
}

// oneLine returns the first line of an error.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

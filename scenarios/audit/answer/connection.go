package answer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxConnections is how many connections of a program an answer lists.
const MaxConnections = 32

// Connection is a connection of the program to its peer while nothing happens.
type Connection struct {
	Number int     `json:"connection"`           // from 1, in the order in which they were opened
	Opened Seconds `json:"opened_after_seconds"` // after the first one
	// Settings are the options of its socket; nil: it was over before they could be read.
	Settings *Settings `json:"settings,omitempty"`
	// Ended is how it ended, counted from when it was opened; nil: it was open when the watch
	// ended. ByPeer reports that the peer ended it.
	Ended  *Event `json:"ended,omitempty"`
	ByPeer bool   `json:"ended_by_peer,omitempty"`
}

// ConnectionOutcome is what became of one connection that met a fault. Its fields mean what
// those of Fault mean.
type ConnectionOutcome struct {
	Connection int     `json:"connection"` // its number
	Kernel     *Event  `json:"kernel,omitempty"`
	Noticed    *Event  `json:"program,omitempty"`
	Verdict    string  `json:"verdict"`
	Trouble    string  `json:"trouble,omitempty"`
	Spins      bool    `json:"spins,omitempty"`
	Within     Seconds `json:"within_seconds,omitempty"`
}

// badness orders the verdicts: the higher is the worse.
var badness = map[string]int{Alive: 0, ByItself: 1, Noticing: 2, KernelOnly: 3, Never: 4, Unmeasured: 5}

// Compare returns -1 if the outcome is better than another, 1 if it is worse: by the verdict, and
// then by the time that it took the program to notice.
func (o ConnectionOutcome) Compare(other ConnectionOutcome) int {
	after := func(o ConnectionOutcome) Seconds {
		if o.Noticed == nil {
			return 0
		}
		return o.Noticed.After
	}
	return cmp.Or(cmp.Compare(badness[o.Verdict], badness[other.Verdict]), cmp.Compare(after(o), after(other)))
}

// SettingsLines returns in words, for pages, the settings of all connections.
func (a *Answer) SettingsLines() []string {
	if a.Program.SCTP {
		return a.Association.Lines()
	}
	if len(a.Connections) < 2 {
		return a.Settings.Lines()
	}
	heading := fmt.Sprintf("%d connections, one after the other", len(a.Connections))
	if most := a.atOnce(); most > 1 {
		heading = fmt.Sprintf("a pool of %d", most)
		if most < len(a.Connections) {
			heading += fmt.Sprintf(", %d connections in all", len(a.Connections))
		}
	}
	groups := grouped(a.Connections, func(c Connection) string { return strings.Join(c.Settings.Lines(), ", ") }, func(c Connection) int { return c.Number })
	if len(groups) == 1 {
		return append([]string{heading + ": all alike"}, a.Connections[0].Settings.Lines()...)
	}
	return append([]string{heading}, groups...)
}

// atOnce returns how many connections were open at once, at most.
func (a *Answer) atOnce() (most int) {
	for _, c := range a.Connections {
		n := 0
		for _, other := range a.Connections {
			if other.Opened <= c.Opened && (other.Ended == nil || other.Opened+other.Ended.After > c.Opened) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// maxEndedLines is how many connections that ended a page lists.
const maxEndedLines = 4

// endedLines returns how and when connections ended by themselves, where there are several.
func (a *Answer) endedLines() (lines []string) {
	if len(a.Connections) < 2 {
		return nil
	}
	for _, c := range a.Connections {
		if c.Ended == nil {
			continue
		}
		by := "the program"
		if c.ByPeer {
			by = "the peer"
		}
		lines = append(lines, fmt.Sprintf("connection %d, opened after %v: %s ends it after %v (%s)", c.Number, c.Opened, by, c.Ended.After, c.Ended.What))
	}
	if more := len(lines) - maxEndedLines; more > 0 {
		lines = append(lines[:maxEndedLines], fmt.Sprintf("and %d more connections (%s)", more, JSONFile))
	}
	return lines
}

// grouped returns a line for each of the different texts of some connections, with the numbers of
// those that have it: "connections 1, 3: never". Connections without a text are left out.
func grouped[T any](all []T, text func(T) string, number func(T) int) []string {
	var texts []string
	numbers := map[string][]string{}
	for _, c := range all {
		t := text(c)
		if t == "" {
			continue
		}
		if !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
		numbers[t] = append(numbers[t], fmt.Sprint(number(c)))
	}
	var lines []string
	for _, t := range texts {
		word := "connection"
		if len(numbers[t]) > 1 {
			word += "s"
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", word, strings.Join(numbers[t], ", "), t))
	}
	return lines
}

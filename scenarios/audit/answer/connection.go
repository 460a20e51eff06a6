package answer

import "cmp"

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
	Within     Seconds `json:"within_seconds,omitempty"`
}

// badness orders the verdicts: the higher is the worse.
var badness = map[string]int{Alive: 0, ByItself: 1, Noticing: 2, KernelOnly: 3, Never: 4}

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

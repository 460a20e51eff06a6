package answer

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Recovery is what became of the program after a fault that ends. All times count from the fault.
type Recovery struct {
	FaultEnded Seconds `json:"fault_ended_seconds"`
	Outcome    string  `json:"outcome"` // Reconnects, Served, Continues, GivesUp, Refuses, Exits or Unaware
	// GaveUp is when the program had given up all connections that met the fault; nil: it never
	// did.
	GaveUp *Seconds `json:"gave_up_seconds,omitempty"`
	// Attempts are the connections that a client has begun since, in order: at most MaxAttempts
	// of AllAttempts.
	Attempts    []Attempt `json:"attempts,omitempty"`
	AllAttempts int       `json:"attempts_in_all,omitempty"`
	// Connected is when the new connection was established, and Works when data first came
	// back: a client's from the server on a connection that works, a server's answer to a
	// client. Nil: never. Where nothing was exchanged before the fault, a connection works
	// once it is established.
	Connected *Seconds `json:"connected_seconds,omitempty"`
	Works     *Seconds `json:"works_seconds,omitempty"`
	// Settings are those of the new connection; nil: there is none, or they are unknown.
	Settings *Settings `json:"settings,omitempty"`
	// Association has those of a new SCTP association; nil: as for Settings.
	Association *Association `json:"association,omitempty"`
	// Differ reports that Settings, or those of Association, are not those of the connection that met the fault.
	Differ bool `json:"settings_differ,omitempty"`
	// Unanswered counts the messages of the program that no data has answered, of those that
	// were under way at the fault or sent since, and Repeated those that it has sent again on
	// another connection although the peer had received them.
	Unanswered int     `json:"messages_unanswered,omitempty"`
	Repeated   int     `json:"messages_repeated,omitempty"`
	Within     Seconds `json:"within_seconds,omitempty"` // how long GivesUp, Refuses and Unaware were watched, from the fault
}

// The outcomes of a recovery.
const (
	Reconnects = "reconnects" // the client has a connection that works
	Served     = "serves"     // the server under test serves a new client
	Continues  = "continues"  // the connection that met the fault works
	GivesUp    = "gives up"   // the client has no connection that works
	Refuses    = "refuses"    // the server under test serves no new client
	Exits      = "exits"      // the program has ended
	Unaware    = "unaware"    // the program keeps a connection that is dead, and makes no other
)

// Attempt is a connection that a client has begun.
type Attempt struct {
	After Seconds `json:"after_seconds"` // when the SYN was sent, from the fault
	// Outcome is Accepted, Refused, Unreachable, Unanswered or Abandoned, Lasted how long it
	// took until that, and SYNs how many were sent.
	Outcome string  `json:"outcome"`
	Lasted  Seconds `json:"lasted_seconds"`
	SYNs    int     `json:"syns"`
}

// MaxAttempts is how many attempts an answer lists.
const MaxAttempts = 64

// The outcomes of an attempt.
const (
	Accepted    = "connected"
	Refused     = "refused"     // RST
	Unreachable = "unreachable" // a router has said so (ICMP)
	Unanswered  = "unanswered"  // the kernel has given up
	Abandoned   = "abandoned"   // the program has given up before
)

// Recovered returns how long after the fault the program worked again; ok is false if it did not.
func (r *Recovery) Recovered() (after time.Duration, ok bool) {
	switch {
	case r.Works != nil:
		return r.Works.Duration(), true
	case r.Outcome == Continues:
		return r.FaultEnded.Duration(), true
	}
	return 0, false
}

// Words returns the recovery in words: "gives its connection up after 18 s; 3 attempts, refused
// 2; connected after 61 s; works again after 61 s".
func (r *Recovery) Words() string {
	var parts []string
	if r.Outcome == Served {
		parts = append(parts, fmt.Sprintf("serves a new client after %v", *r.Works))
	}
	if r.GaveUp != nil {
		parts = append(parts, fmt.Sprintf("gives its connection up after %v", *r.GaveUp))
	}
	if words := r.attempts(); words != "" {
		parts = append(parts, words)
	}
	if r.Outcome != Served && r.Connected != nil && (r.Works == nil || *r.Works != *r.Connected) {
		parts = append(parts, fmt.Sprintf("connected after %v", *r.Connected))
	}
	switch r.Outcome {
	case Reconnects:
		parts = append(parts, fmt.Sprintf("works again after %v", *r.Works))
	case Continues:
		words := "its connection goes on"
		if r.Works != nil {
			words += fmt.Sprintf(": data comes back after %v", *r.Works)
		}
		parts = append(parts, words)
	case GivesUp:
		parts = append(parts, fmt.Sprintf("does not work again within %v", r.Within))
	case Refuses:
		parts = append(parts, fmt.Sprintf("serves no new client within %v", r.Within))
	case Exits:
		parts = append(parts, "ends, and does not work again")
	case Unaware:
		parts = append(parts, fmt.Sprintf("keeps the dead connection, and makes no other within %v", r.Within))
	}
	if r.Unanswered > 0 {
		parts = append(parts, fmt.Sprintf("messages without an answer: %d", r.Unanswered))
	}
	if r.Repeated > 0 {
		parts = append(parts, fmt.Sprintf("messages received twice: %d", r.Repeated))
	}
	if r.Differ {
		lines := r.Settings.Lines()
		if r.Association != nil {
			lines = r.Association.Lines()
		}
		parts = append(parts, "the new connection has other settings: "+strings.Join(lines, ", "))
	}
	return strings.Join(parts, "; ")
}

// attempts returns the attempts in words: how many, how far apart, and how they ended.
func (r *Recovery) attempts() string {
	if r.AllAttempts == 0 || r.AllAttempts == 1 && r.Attempts[0].Outcome == Accepted {
		return ""
	}
	words := fmt.Sprintf("%d attempts to connect", r.AllAttempts)
	if r.AllAttempts == 1 {
		words = "1 attempt to connect"
	}
	if r.AllAttempts > 1 {
		words += ", " + r.spacings() + " apart"
	}
	for _, outcome := range []string{Refused, Unreachable, Unanswered, Abandoned} {
		n := 0
		for _, a := range r.Attempts {
			if a.Outcome == outcome {
				n++
			}
		}
		if n > 0 {
			words += fmt.Sprintf(", %s %d", outcome, n)
		}
	}
	return words
}

// maxSpacings is how many spacings of attempts a page shows.
const maxSpacings = 6

// spacings returns the times between the attempts: the back-off.
func (r *Recovery) spacings() string {
	var all []string
	for i := range r.Attempts[1:] {
		all = append(all, (r.Attempts[i+1].After - r.Attempts[i].After).String())
	}
	if distinct := slices.Compact(slices.Clone(all)); len(distinct) == 1 {
		return distinct[0]
	}
	if len(all) > maxSpacings {
		all = append(all[:maxSpacings-1], "…", all[len(all)-1])
	}
	return strings.Join(all, ", ")
}

// recoveries returns the lines of the page about what came after the faults that ended.
func (a *Answer) recoveries() string {
	width := 0
	for _, f := range a.Faults {
		if f.Recovery != nil {
			width = max(width, len(f.Title()))
		}
	}
	var b strings.Builder
	for _, f := range a.Faults {
		if f.Recovery != nil {
			b.WriteString(folded(fmt.Sprintf("  %-*s  ", width, f.Title()), f.Recovery.Words()))
		}
	}
	return b.String()
}

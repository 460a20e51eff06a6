package ladder

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Standing is how a host stands at the end of the story: what it was told last, and what it knows.
type Standing struct {
	Host  string   `json:"host"`
	Heard string   `json:"heard"` // the last packet that reached it
	Holds []string `json:"holds"` // its connections; of a firewall, what it remembers
	Did   []string `json:"did"`   // what its programs said or did last; of a router, what it did with packets
}

// Standings returns how each host stands at the end: who knows what, and since when. A ladder of an
// earlier version has none.
func (l *Ladder) Standings() (all []Standing) {
	if l.Ended == 0 {
		return nil
	}
	for host, h := range l.Hosts {
		s := Standing{Host: h.Name, Heard: l.heard(host), Holds: l.holds(host)}
		if did := l.forwarding(host); len(did) > 0 {
			s.Did = did
		}
		if last := l.last(func(r Rung) bool {
			return r.Arrow == nil && r.Host == host && (r.Kind == Kind(timeline.Step) || r.Kind == Kind(timeline.Peer))
		}); last != nil {
			s.Did = append(s.Did, last.Text+moment(last.At))
		}
		all = append(all, s)
	}
	return all
}

// Words returns it in a sentence.
func (s Standing) Words() string {
	var parts []string
	if s.Heard != "" {
		parts = append(parts, "last packet: "+s.Heard)
	}
	return strings.Join(slices.Concat(parts, s.Holds, s.Did), "; ")
}

// Silence returns how long nothing happened before the end of the story; zero: not for long.
func (l *Ladder) Silence() time.Duration {
	last := time.Duration(0)
	for _, r := range l.Rungs {
		last = max(last, r.At)
		if r.Arrow != nil {
			last = max(last, r.Arrived)
		}
	}
	if silence := l.Ended - last; silence >= pause {
		return silence
	}
	return 0
}

// moment returns an instant as the end of a sentence.
func moment(at time.Duration) string { return fmt.Sprintf(" (%.3f s)", at.Seconds()) }

// last returns the last event that matches; nil: none does.
func (l *Ladder) last(match func(Rung) bool) *Rung {
	for i := len(l.Rungs) - 1; i >= 0; i-- {
		if match(l.Rungs[i]) {
			return &l.Rungs[i]
		}
	}
	return nil
}

// heard returns the last packet that reached its end at a host.
func (l *Ladder) heard(host int) string {
	last := l.last(func(r Rung) bool { return r.Arrow != nil && r.To == host && r.Host != host && r.End == "" })
	if last == nil {
		return ""
	}
	return last.name() + moment(last.Arrived)
}

// name returns what a packet is: "forged RST".
func (r Rung) name() string {
	if r.Forged {
		return "forged " + r.Brief
	}
	return r.Brief
}

// holds returns the connections that a host has, since when they are as they are where that is known,
// and what a firewall remembers.
func (l *Ladder) holds(host int) (lines []string) {
	sockets := l.Hosts[host].Sockets
	for _, s := range sockets {
		line := fmt.Sprintf("%s with %v", s.State, s.Remote)
		if s.Unsent > 0 {
			line += fmt.Sprintf(", %d bytes not acknowledged", s.Unsent)
		}
		if s.Unread > 0 {
			line += fmt.Sprintf(", %d bytes not read", s.Unread)
		}
		lines = append(lines, line)
	}
	seen := map[string]bool{}
	for i := len(l.Rungs) - 1; i >= 0; i-- {
		r := l.Rungs[i]
		if r.Host != host || r.Subject == "" || seen[r.Subject] {
			continue
		}
		switch {
		case r.Kind == Kind(timeline.Conntrack) && r.State != "":
			lines = append(lines, fmt.Sprintf("remembers %s: %s%s", r.Subject, r.State, moment(r.At)))
		case r.Kind == Kind(timeline.Conntrack):
			lines = append(lines, fmt.Sprintf("has forgotten %s%s", r.Subject, moment(l.forgotten(r))))
		case r.Kind == Kind(timeline.State) && len(sockets) == 0:
			lines = append(lines, fmt.Sprintf("no connection; %s: %s%s", r.Subject, r.State, moment(r.At)))
		default:
			continue
		}
		seen[r.Subject] = true
	}
	return lines
}

// forgotten returns when an entry that is gone was forgotten: when it expired, if it had.
func (l *Ladder) forgotten(gone Rung) time.Duration {
	at := gone.At
	for _, r := range l.Rungs {
		if r.Kind != gone.Kind || r.Host != gone.Host || r.Subject != gone.Subject {
			continue
		}
		switch {
		case r.At > gone.At:
		case r.State == "" && r.Expires > 0:
			at = r.At
		case r.State != "":
			at = gone.At
		}
	}
	return at
}

// forwarding returns what a host did with packets that were for others.
func (l *Ladder) forwarding(host int) (lines []string) {
	count := func(what string, of func(Rung) bool) {
		var all []Rung
		for _, r := range l.Rungs {
			if r.Arrow != nil && of(r) {
				all = append(all, r)
			}
		}
		if len(all) == 0 {
			return
		}
		var names []string
		for _, r := range all {
			if !slices.Contains(names, r.Brief) {
				names = append(names, r.Brief)
			}
		}
		packets := "1 packet" + moment(all[0].At)
		if len(all) > 1 {
			packets = fmt.Sprintf("%d packets, first%s", len(all), moment(all[0].At))
		}
		const most = 3
		if len(names) > most {
			names = append(names[:most], "…")
		}
		lines = append(lines, fmt.Sprintf(what, packets)+": "+strings.Join(names, ", "))
	}
	count("dropped %s", func(r Rung) bool { return r.To == host && r.End == Dropped })
	count("forged %s", func(r Rung) bool { return r.Host == host && r.Forged })
	count("lost %s, on the cable", func(r Rung) bool { return r.To == host && r.End == Lost })
	return lines
}

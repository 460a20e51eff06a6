// Package ladder draws the story of one lab as a ladder: the hosts are columns in the order of
// the path, time runs downwards, packets are arrows from column to column, and what a host does
// or learns stands beside its column.
//
// Draw joins what the captures of all hosts have of one packet to one arrow, so that a reader
// sees where a packet died. A Ladder is data: it is kept as JSON in a report, and Text draws it
// for a terminal, SVG for a page.
package ladder

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// File is the name under which a report keeps the ladder of a lab, beside its timeline.
const File = "ladder.json"

// Ladder is the story of one lab: who knew what, and when.
type Ladder struct {
	Title string `json:"title"`
	Hosts []Host `json:"hosts"` // the columns, from the client to the server
	Rungs []Rung `json:"rungs"` // in the order in which they happened
	// Ended is when the ladder was drawn: the story ends there. Zero in ladders of earlier versions.
	Ended time.Duration `json:"ended,omitempty"`
}

// Host is a column.
type Host struct {
	Name    string   `json:"name"`
	Role    string   `json:"role"`              // "peer", "firewall", …
	Sockets []Socket `json:"sockets,omitempty"` // at the end of the story
}

// Socket is a connection or an association that a host has at the end of the story.
type Socket struct {
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote"`
	State  string         `json:"state"`
	Unsent int            `json:"unsent,omitempty"` // bytes that are not acknowledged
	Unread int            `json:"unread,omitempty"` // bytes that its program has not read
}

// Kind is what a rung shows. The names are those of package timeline.
type Kind string

// Everyone is the column of a rung that concerns no single host: a step of the test.
const Everyone = -1

// Rung is one event. Durations count from the beginning of the lab, in nanoseconds in JSON.
type Rung struct {
	At   time.Duration `json:"at"`
	Kind Kind          `json:"kind"`
	Host int           `json:"host"` // the column; Everyone: all of them. Of a packet: the first sender
	Text string        `json:"text"` // one line
	// Subject and State are those of timeline.Event; Expires too, zero: nothing expires. Of a
	// conntrack entry that has expired Expires is its timeout, and State is empty.
	Subject string        `json:"subject,omitempty"`
	State   string        `json:"state,omitempty"`
	Expires time.Duration `json:"expires,omitempty"`
	// Opens and Closes are the window of a verdict: something was expected in between.
	Opens  time.Duration `json:"opens,omitempty"`
	Closes time.Duration `json:"closes,omitempty"`

	*Arrow `json:",omitempty"` // of a packet; nil: another event
}

// Words returns the event in few words: of a conntrack entry its state, and when the firewall
// forgets it; of other events the text.
func (r Rung) Words() string {
	switch {
	case r.Kind == Kind(timeline.Verdict):
		return fmt.Sprintf("%s between %.3f and %.3f s", r.Text, r.Opens.Seconds(), r.Closes.Seconds())
	case r.Kind != Kind(timeline.Conntrack) || r.Subject == "":
		return r.Text
	case r.State == "" && r.Expires > 0:
		return fmt.Sprintf("conntrack entry of %s: expired, no packet for %s", r.Subject, InWords(r.Expires))
	case r.State == "":
		return "conntrack entry of " + r.Subject + ": gone"
	}
	return fmt.Sprintf("conntrack entry of %s: %s, forgotten in %.0f s", r.Subject, r.State, (r.Expires - r.At).Seconds())
}

// Arrow is the way of one packet through the hosts.
type Arrow struct {
	Brief   string        `json:"brief"` // in a few words: "SYN", "keepalive probe"
	To      int           `json:"to"`    // the column of the last host that has seen the packet
	Arrived time.Duration `json:"arrived"`
	End     End           `json:"end,omitempty"`
	Forged  bool          `json:"forged,omitempty"` // the sender is a router, and the packet bears another host's address
	Frames  []int         `json:"frames"`           // the packet's numbers in packets.pcapng

	ends [][2]netip.AddrPort // source and destination of each frame: a NAT changes them on the way
}

// End is how the way of a packet ended.
type End string

// The ends. The zero value is a packet that has arrived at the host it was for.
const (
	Lost    End = "lost"    // the last host sent it, and the next one on the cable never had it
	Dropped End = "dropped" // the last host had it, and did not forward it
)

// JSON returns the ladder as File has it.
func (l *Ladder) JSON() ([]byte, error) {
	content, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("writing the ladder as JSON: %w", err)
	}
	return append(content, '\n'), nil
}

// Parse reads the content of File.
func Parse(content []byte) (*Ladder, error) {
	l := &Ladder{}
	if err := json.Unmarshal(content, l); err != nil {
		return nil, fmt.Errorf("reading a ladder: %w", err)
	}
	return l, nil
}

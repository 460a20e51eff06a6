// Package answer is what an audit has found out, and how it is told: as JSON, as a page
// for a terminal that can be pasted into a ticket, and as Markdown.
//
// It measures nothing (package measuring) and judges nothing by itself: what should be
// comes from harness/oracle.
package answer

import (
	"encoding/json"
	"fmt"
	"time"
)

// Answer is everything that an audit has found out. What could not be found out is in
// Unknown, in words, and nowhere else.
type Answer struct {
	Program  Program   `json:"program"`
	Kernel   string    `json:"kernel"`
	RealTime bool      `json:"real_time,omitempty"` // it was measured on the running kernel; else in virtual time
	Watched  Seconds   `json:"watched_seconds"`     // how long each fault was looked at
	Settings *Settings `json:"settings,omitempty"`
	Wire     Wire      `json:"wire"`
	Faults   []Fault   `json:"faults"`
	Presets  []Preset  `json:"presets"`
	Ghosts   *Ghosts   `json:"ghosts,omitempty"` // of a server; nil: not known
	Advice   *Advice   `json:"advice,omitempty"` // nil: there is nothing to change
	Unknown  []string  `json:"unknown,omitempty"`
	Trouble  string    `json:"trouble,omitempty"` // why there is no answer
}

// Program is what was audited.
type Program struct {
	Side     string  `json:"side"` // "server" or "client"
	Command  string  `json:"command"`
	Package  string  `json:"package,omitempty"`
	Peer     string  `json:"peer"`     // the other side
	Port     uint16  `json:"port"`     // of the server
	Loopback bool    `json:"loopback"` // it listens on 127.0.0.1 only, and was reached there
	Ready    Seconds `json:"ready_seconds"`
}

// Settings are the options of the program's own socket, as the kernel has them once the
// connection has settled (getsockopt(2) on a copy of its descriptor, pidfd_getfd(2)).
type Settings struct {
	Keepalive   bool    `json:"keepalive"` // SO_KEEPALIVE
	Idle        Seconds `json:"keepalive_idle_seconds"`
	Interval    Seconds `json:"keepalive_interval_seconds"`
	Count       int     `json:"keepalive_count"`
	UserTimeout Seconds `json:"user_timeout_seconds"` // 0: the system's rule
}

// Wire is what was seen of a connection that nothing was done to.
type Wire struct {
	Probes       int        `json:"keepalive_probes"` // that the program's kernel has sent
	ProbeSpacing Seconds    `json:"probe_spacing_seconds,omitempty"`
	Heartbeat    *Heartbeat `json:"heartbeat,omitempty"`
	Silence      Silence    `json:"longest_silence"`           // no packet of the connection either way
	NoData       Silence    `json:"longest_without_data"`      // keepalive probes and acknowledgements are none
	Ended        *Event     `json:"ended_by_itself,omitempty"` // the program ended it; times count from when it was made
}

// Silence is a time without packets.
type Silence struct {
	Lasted Seconds `json:"seconds"`
	// Open says that it had not ended when the watch did.
	Open bool `json:"open,omitempty"`
}

// Heartbeat is data that one side sends at a stable period.
type Heartbeat struct {
	By     string  `json:"by"` // the side that begins: "program" or "peer"
	Period Seconds `json:"period_seconds"`
	Count  int     `json:"count"`
	Bytes  int     `json:"bytes"` // of the first message
}

// Fault is one row: what became of the connection when that happened.
type Fault struct {
	Name string `json:"fault"`
	Load string `json:"load"` // Idle or Busy
	// Kernel is when the program's kernel knew that the connection was over, Noticed
	// when the program did, and Exit when it ended. Nil: it did not.
	Kernel  *Event `json:"kernel,omitempty"`
	Noticed *Event `json:"program,omitempty"`
	Exit    *Event `json:"exit,omitempty"`
	// Verdict is Never, Alive, Noticing, KernelOnly or ByItself.
	Verdict string `json:"verdict"`
	// Within is how long Never is: how long it was looked at where that is too short to
	// tell; zero: longer than the kernel's own keepalive and retransmissions take.
	Within  Seconds `json:"within_seconds,omitempty"`
	Capture string  `json:"capture,omitempty"` // the file, in the report directory
	Trouble string  `json:"trouble,omitempty"` // why the row could not be measured
}

// The loads.
const (
	Idle = "idle"
	Busy = "busy"
)

// The verdicts.
const (
	Noticing   = "noticed"        // the program has noticed
	KernelOnly = "kernel only"    // its kernel knows, and the program has not done anything about it
	Never      = "never"          // the connection is dead, and nothing has happened
	Alive      = "alive"          // the connection still works: there is nothing to notice
	ByItself   = "ends by itself" // as it does when nothing is wrong, and no sooner
	Unmeasured = "not measured"
)

// Preset is a middlebox, and what becomes of an idle session behind it.
type Preset struct {
	Name    string  `json:"preset"`
	Timeout Seconds `json:"idle_timeout_seconds"` // 0: it has none
	Outcome string  `json:"outcome"`              // Survives, Dies, EndsFirst or Open
	How     string  `json:"how"`                  // RunHere, or Derived from what the program sends
	Why     string  `json:"why"`
	Capture string  `json:"capture,omitempty"` // the file, in the report directory; empty: it was not run
}

// What becomes of a session.
const (
	Survives  = "survives"
	Dies      = "dies"
	EndsFirst = "ends first" // the program ends it before the middlebox does
	Open      = "unknown"
)

// How that is known.
const (
	RunHere = "run"
	Derived = "derived"
)

// Ghosts is what a client leaves behind that loses power and comes back, again and again:
// connections that its server takes for alive. It is derived from how long the server
// takes to notice one of them (oracle.Ghosts).
type Ghosts struct {
	Every Seconds `json:"every_seconds"` // how often the client does
	Most  int     `json:"most"`          // how many there are at once; 0: ever more
}

// Advice is settings for the program's socket, and what came of trying them.
type Advice struct {
	Idle        Seconds `json:"keepalive_idle_seconds"`
	Interval    Seconds `json:"keepalive_interval_seconds"`
	Count       int     `json:"keepalive_count"`
	UserTimeout Seconds `json:"user_timeout_seconds"`
	// BySysctl says that sysctls suffice: the program has keepalive on, with the
	// system's values.
	BySysctl bool   `json:"by_sysctl"`
	Why      string `json:"why"`
	// Tried are the trials with these settings, set on the program's socket from
	// outside.
	Tried []Fault `json:"tried"`
}

// Event is something that happened, and how long after the peer was last heard, or, where
// its kernel tells of the fault, after the fault.
type Event struct {
	What  string  `json:"what"`
	After Seconds `json:"after_seconds"`
}

// Seconds is a time as a report has it: to a tenth below ten seconds, else whole.
type Seconds time.Duration

// Of is a time as a report has it.
func Of(d time.Duration) Seconds {
	if d.Abs() < 10*time.Second {
		return Seconds(d.Round(100 * time.Millisecond))
	}
	return Seconds(d.Round(time.Second))
}

// Duration is the time.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// MarshalJSON writes a number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).Seconds()) }

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(content []byte) error {
	var number float64
	if err := json.Unmarshal(content, &number); err != nil {
		return fmt.Errorf("a time must be a number of seconds: %w", err)
	}
	*s = Seconds(time.Duration(number*1e9 + 0.5).Round(time.Millisecond))
	return nil
}

// String is the time as people write it: "0.3 s", "42 s", "10 min", "2 h 11 min".
func (s Seconds) String() string {
	d := time.Duration(s)
	switch {
	case d == d.Round(time.Second) && d < 10*time.Minute, d >= 10*time.Second && d < 10*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes%60 == 0:
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// JSON is the answer for programs.
func (a *Answer) JSON() ([]byte, error) {
	content, err := json.MarshalIndent(a, "", "  ")
	return append(content, '\n'), err
}

package answer

import (
	"slices"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

// Answer is everything that an audit has measured. Unknown says in words what could not be
// measured.
type Answer struct {
	// SchemaVersion is Schema. Write sets it.
	SchemaVersion int `json:"schema_version"`
	// Halfopen is the version that made the answer (harness/version). Write sets it.
	Halfopen string `json:"halfopen"`

	Program  Program `json:"program"`
	Kernel   string  `json:"kernel"`
	RealTime bool    `json:"real_time,omitempty"` // measured on the running kernel; false: in virtual time
	Watched  Seconds `json:"watched_seconds"`     // how long each fault was watched
	// Conversation is what the fixture said; nil: nothing.
	Conversation *Conversation `json:"conversation,omitempty"`
	// Strike is how old a connection was when the faults struck, where the quiet connection
	// was over before it had settled; nil: they struck when it had settled.
	Strike *Seconds `json:"strike_after_seconds,omitempty"`
	// Settings are those of the connection that the audit is about: the oldest that the program
	// keeps open, or its first.
	Settings *Settings `json:"settings,omitempty"`
	// Association has the settings of an SCTP association; nil: they are unknown, or it was TCP.
	Association *Association `json:"association,omitempty"`
	// Connections are those of the program to its peer while nothing happens, in the order in
	// which they were opened; at most MaxConnections of them.
	Connections []Connection `json:"connections"`
	Wire        Wire         `json:"wire"`
	Faults      []Fault      `json:"faults"`
	Presets     []Preset     `json:"presets"`
	// NoSession is why nothing is concluded about sessions behind middleboxes that were not
	// run: what was seen was none, or only its beginning. Empty: it was a session.
	NoSession string  `json:"no_session,omitempty"`
	Ghosts    *Ghosts `json:"ghosts,omitempty"` // of a server; nil: unknown
	Advice    *Advice `json:"advice,omitempty"` // nil: nothing needs to change
	// Varied are what became of the program's connections with other settings, where those were
	// asked for, and nothing else.
	Varied []Fault `json:"varied,omitempty"`
	// OverIPv6 is the answer over IPv6 where both families were audited, and the rest is that
	// over IPv4; nil: one was.
	OverIPv6 *Answer  `json:"over_ipv6,omitempty"`
	Unknown  []string `json:"unknown,omitempty"`
	Trouble  string   `json:"trouble,omitempty"` // why there is no answer
}

// Side is an end of the connection.
type Side string

// The sides. The zero value is neither.
const (
	Server Side = "server"
	Client Side = "client"
)

// Other returns the other side.
func (s Side) Other() Side {
	if s == Server {
		return Client
	}
	return Server
}

// Program is the program that was audited.
type Program struct {
	Side     Side     `json:"side"`
	Command  string   `json:"command"`
	Package  string   `json:"package,omitempty"`
	Image    *Image   `json:"image,omitempty"`  // nil: none
	Peer     string   `json:"peer"`             // the other side
	Beside   []string `json:"beside,omitempty"` // the programs that ran beside the two, each "NAME: COMMAND, on HOST"
	SCTP     bool     `json:"sctp,omitempty"`   // false: TCP
	Port     uint16   `json:"port"`             // of the server
	IPv6     bool     `json:"ipv6"`             // the connections are IPv6's
	Loopback bool     `json:"loopback"`         // it listens on loopback addresses only, and was reached there
	Ready    Seconds  `json:"ready_seconds"`
}

// Image is the container image that has the program.
type Image struct {
	Name string `json:"name"` // as the user wrote it
	// Digest is "sha256:…", that of the image's manifest, or of its configuration where it
	// came without a manifest.
	Digest string `json:"digest"`
}

// Settings are the options of the program's own socket once the connection has settled, as
// the kernel has them (getsockopt(2) on a copy of the descriptor, pidfd_getfd(2)).
type Settings struct {
	Keepalive   bool    `json:"keepalive"` // SO_KEEPALIVE
	Idle        Seconds `json:"keepalive_idle_seconds"`
	Interval    Seconds `json:"keepalive_interval_seconds"`
	Count       int     `json:"keepalive_count"`
	UserTimeout Seconds `json:"user_timeout_seconds"` // 0: not set, the kernel's retransmission limit holds
}

// Wire is what was seen of the quiet connection, to which nothing happened.
type Wire struct {
	Probes           int        `json:"keepalive_probes"` // sent by the program's kernel
	ProbeSpacing     Seconds    `json:"probe_spacing_seconds,omitempty"`
	PeerProbes       int        `json:"peer_keepalive_probes,omitempty"` // sent by the peer's kernel
	PeerProbeSpacing Seconds    `json:"peer_probe_spacing_seconds,omitempty"`
	Heartbeat        *Heartbeat `json:"heartbeat,omitempty"`
	Silence          Silence    `json:"longest_silence"`      // no packet of the connection either way
	NoData           Silence    `json:"longest_without_data"` // keepalive probes and acknowledgements carry none
	// Alone, AloneNoData and PeerAlone are what the longest silences would have been if the
	// program alone, or the peer alone, had sent packets by itself: keepalive probes, and data
	// that answers nothing.
	Alone       Silence `json:"longest_silence_program_alone"`
	AloneNoData Silence `json:"longest_without_data_program_alone"`
	PeerAlone   Silence `json:"longest_silence_peer_alone"`
	Sent        int     `json:"bytes_sent"`     // data of the program
	Received    int     `json:"bytes_received"` // data of the peer
	// Answered and Unanswered count the messages that the program sent by itself, after the
	// first exchange, and which the peer answered with data, or did not.
	Answered   int `json:"messages_answered,omitempty"`
	Unanswered int `json:"messages_unanswered,omitempty"`
	// Ended is when the program ended it, and EndedByPeer when its kernel learned that the
	// peer had, both counted from when the connection was made. Nil: it did not.
	Ended       *Event `json:"ended_by_itself,omitempty"`
	EndedByPeer *Event `json:"ended_by_peer,omitempty"`
}

// Silence is a time without packets.
type Silence struct {
	Lasted Seconds `json:"seconds"`
	// Open reports that the silence still lasted when the watch ended.
	Open bool `json:"open,omitempty"`
}

// Heartbeat is data that one side sends at a stable period.
type Heartbeat struct {
	By     string  `json:"by"` // ByProgram or ByPeer: the side that begins
	Period Seconds `json:"period_seconds"`
	Count  int     `json:"count"`
	Bytes  int     `json:"bytes"` // of the first message
}

// The sides of a heartbeat.
const (
	ByProgram = "program"
	ByPeer    = "peer"
)

// Fault is one row of the answer: what became of a connection that met a fault.
type Fault struct {
	Name string `json:"fault"`
	Load string `json:"load"` // Idle or Busy
	// Kernel is when the program's kernel learned that the connection is over, Noticed
	// when the program did, and Exit when the program ended. Nil: never.
	Kernel  *Event `json:"kernel,omitempty"`
	Noticed *Event `json:"program,omitempty"`
	Exit    *Event `json:"exit,omitempty"`
	// Verdict is Never, Alive, Noticing, KernelOnly or ByItself.
	Verdict string `json:"verdict"`
	Spins   bool   `json:"spins,omitempty"` // with KernelOnly: the program does not sleep any more
	// Within limits Never to the time that the connection was watched, where that is too
	// short to tell; zero: it was watched for longer than the kernel's own keepalive and
	// retransmissions take.
	Within Seconds `json:"within_seconds,omitempty"`
	// Connections are the outcomes of all connections that met the fault, in the order in which
	// they were opened; none where there was one. The row is that of the worst.
	Connections []ConnectionOutcome `json:"connections,omitempty"`
	// Recovery is what came after a fault that ends; nil: it does not end, or was not measured.
	Recovery *Recovery `json:"recovery,omitempty"`
	// UnderWay is the data that was under way once the fault had happened, and whose: keepalive
	// is silent meanwhile (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
	UnderWay []Data `json:"data_under_way,omitempty"`
	// Peer is what a peer that is a program learned of the fault; nil: nothing, or it cannot.
	Peer *PeerEnd `json:"peer,omitempty"`
	// Beside are the programs beside, on the host of the program under test, that ended after the
	// fault.
	Beside []BesideEnd `json:"beside,omitempty"`
	// Later is what its kernel does later than Within; nil: unknown, or nothing.
	Later   *Later `json:"later,omitempty"`
	Capture string `json:"capture,omitempty"` // the file, in the report directory
	Trouble string `json:"trouble,omitempty"` // why the row could not be measured
	// LastWords is what a program whose connection was over before the fault had sent and
	// written last.
	LastWords string `json:"last_words,omitempty"`
}

// The loads, as in the detection matrix.
const (
	Idle = detection.Idle
	Busy = detection.Busy
)

// Title returns the name of the row, as promises have it: the fault, and ", busy" where it
// was met with data under way.
func (f Fault) Title() string { return Title(f.Name, f.Load) }

// Title returns the name of the row of a fault under a load.
func Title(fault, load string) string {
	if load == Busy {
		return fault + ", " + Busy
	}
	return fault
}

// Measured reports whether any fault was measured, or there was none to measure.
func (a *Answer) Measured() bool {
	return len(a.Faults) == 0 || slices.ContainsFunc(a.Faults, func(f Fault) bool { return f.Verdict != Unmeasured })
}

// The verdicts.
const (
	Noticing   = "noticed"        // the program has noticed
	KernelOnly = "kernel only"    // its kernel knows, and the program has done nothing
	Never      = "never"          // the connection is dead, and neither has noticed
	Alive      = "alive"          // the connection works: there is nothing to notice
	ByItself   = "ends by itself" // the program ends the connection no sooner than a quiet one
	Unmeasured = "not measured"
)

// Preset is a middlebox, and what becomes of an idle session behind it.
type Preset struct {
	Name    string  `json:"preset"`
	Timeout Seconds `json:"idle_timeout_seconds"` // 0: it has none
	Outcome string  `json:"outcome"`              // Survives, Dies, EndsFirst or Undecided
	How     string  `json:"how"`                  // RunHere, or Derived from what the program sends
	Why     string  `json:"why"`
	// Alone is what would become of the session if only the program sent packets by itself,
	// and not its peer, where that is another outcome, and WhyAlone why. It is always derived.
	Alone    string `json:"outcome_program_alone,omitempty"`
	WhyAlone string `json:"why_program_alone,omitempty"`
	Capture  string `json:"capture,omitempty"` // the file, in the report directory; empty: it was not run
}

// What becomes of a session.
const (
	Survives  = "survives"
	Dies      = "dies"
	EndsFirst = "ends first" // the program, or its peer, ends it before the middlebox does
	Undecided = "unknown"
)

// How an outcome is known.
const (
	RunHere = "run"
	Derived = "derived"
)

// Ghosts are the connections that a client leaves behind when it loses power and comes back,
// again and again: its server takes them for alive. They are derived from how long the
// server takes to notice one of them (oracle.Ghosts).
type Ghosts struct {
	Every Seconds `json:"every_seconds"` // how often the client comes back
	Most  int     `json:"most"`          // how many there are at once; 0: their number grows without limit
}

// Advice is settings for the program's socket, and what came of trying them.
type Advice struct {
	Idle        Seconds `json:"keepalive_idle_seconds"`
	Interval    Seconds `json:"keepalive_interval_seconds"`
	Count       int     `json:"keepalive_count"`
	UserTimeout Seconds `json:"user_timeout_seconds"`
	// BySysctl reports that sysctls suffice: the program has keepalive on, with the
	// system's values.
	BySysctl bool   `json:"by_sysctl"`
	Why      string `json:"why"`
	// Tried are the trials with these settings, set on the program's socket from
	// outside.
	Tried []Fault `json:"tried"`
}

// Event is something that happened. After counts from when the peer was last heard, or from
// the fault where the peer's kernel announces it (FIN, RST).
type Event struct {
	What  string  `json:"what"`
	After Seconds `json:"after_seconds"`
}

package answer

import (
	"fmt"
	"strings"
)

// Data is data that was under way once a fault had happened: sent, and not acknowledged.
type Data struct {
	By    string  `json:"by"`            // ByProgram or ByPeer
	After Seconds `json:"after_seconds"` // when it was first sent, after the peer was last heard; 0: before
}

// PeerEnd is what a peer that is a program learned of a fault that it survived, counted as the
// row's other durations are. Nil: never.
type PeerEnd struct {
	Kernel  *Event `json:"kernel,omitempty"`  // when its kernel learned that the connection is over
	Noticed *Event `json:"program,omitempty"` // when the peer itself did
	Exit    *Event `json:"exit,omitempty"`
}

// BesideEnd is the end of a program beside, on the host of the program under test, after a fault:
// what the death of one connection of a proxy does to a program behind its other one.
type BesideEnd struct {
	Name  string  `json:"name"`
	How   string  `json:"how"`           // "exit status 1"
	After Seconds `json:"after_seconds"` // counted as the row's other durations are
}

// words returns the end in words: "user ends (exit status 1) after 92 s".
func (b BesideEnd) words() string {
	return fmt.Sprintf("%s ends (%s) after %v", b.Name, b.How, b.After)
}

// Later is what a kernel does later than it was watched, derived from the settings of its socket
// (harness/oracle).
type Later struct {
	What     string  `json:"what"`
	Earliest Seconds `json:"earliest_seconds"` // after the peer was last heard
	Latest   Seconds `json:"latest_seconds"`   // with all that the kernel's timers may be late
}

// words returns it in words.
func (l *Later) words() string {
	return fmt.Sprintf("derived from its settings: %s after %g to %s", l.What, l.Earliest.Duration().Seconds(), l.Latest.plain())
}

// words returns what the peer learned in words: "RST; ECONNRESET after 602 s".
func (p *PeerEnd) words() string {
	if p.Noticed == nil && p.Exit == nil {
		return fmt.Sprintf("its kernel: %s after %v", p.Kernel.What, p.Kernel.After)
	}
	return Fault{Kernel: p.Kernel, Noticed: p.Noticed, Exit: p.Exit, Verdict: Noticing}.Words()
}

// data returns whose data was under way.
func (f Fault) data(by string) *Data {
	for _, d := range f.UnderWay {
		if d.By == by {
			return &d
		}
	}
	return nil
}

// LoadWords returns the load in words: an idle connection on which the program has sent data after
// the fault is none any more.
func (f Fault) LoadWords() string {
	if f.Load == Idle && f.data(ByProgram) != nil {
		return ownData
	}
	return f.Load
}

// ownData is the load of a row whose program has sent data of its own after the fault.
const ownData = "own data"

// Aftermath returns in words what a row has beside what the program noticed: whose data was under
// way, what the peer noticed, which programs beside ended, what the program's kernel does later.
// Empty: nothing.
func (f Fault) Aftermath() string { return strings.Join(f.aftermath(), "; ") }

// aftermath returns what a row has beside what the program noticed.
func (f Fault) aftermath() (parts []string) {
	if d := f.data(ByProgram); d != nil && f.Load == Idle {
		parts = append(parts, fmt.Sprintf("its data was sent after %v", d.After))
	}
	if d := f.data(ByPeer); d != nil {
		parts = append(parts, fmt.Sprintf("the peer's data was sent after %v", d.After))
	}
	if f.Peer != nil {
		parts = append(parts, "the peer: "+f.Peer.words())
	}
	for _, end := range f.Beside {
		parts = append(parts, "beside: "+end.words())
	}
	if f.Later != nil {
		parts = append(parts, f.Later.words())
	}
	return parts
}

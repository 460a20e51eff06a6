package peer

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// The events that a lab waits for (harness.Lab.StartServer, StartClient). The names of a
// program's other events are agreed between the program and its test.
const (
	// Ready is reported by a server when it listens.
	Ready = "ready"
	// Connected is reported by a client when it is connected.
	Connected = "connected"
)

// Event is something that a program reports, as a line of JSON on its standard output.
type Event struct {
	Name string        `json:"event"`          // Ready, Connected, or a name of the program's own
	Peer string        `json:"peer,omitempty"` // the other end's address
	For  time.Duration `json:"for,omitempty"`  // how long it took, in nanoseconds
	N    int           `json:"n,omitempty"`    // a number of reads or bytes
	Text string        `json:"text,omitempty"` // an errno, a reason

	At time.Time `json:"at"` // when it happened, on the wall clock
}

// String returns the event in words: "silent after 3.2s".
func (e Event) String() string {
	text := e.Name
	if e.Peer != "" {
		text += " " + e.Peer
	}
	if e.For != 0 {
		text += fmt.Sprintf(" after %v", e.For)
	}
	if e.N != 0 {
		text += fmt.Sprintf(" %d", e.N)
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

var stdout sync.Mutex

// Report writes an event to standard output. Programs that are to be awaited call it. A
// zero At means now.
func Report(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // every value of the type can be written
	}
	stdout.Lock()
	defer stdout.Unlock()
	// If this fails, there is nobody to report it to.
	_, _ = os.Stdout.Write(append(line, '\n'))
}

package peer

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// The events that a lab waits for (harness.Lab.StartServer, StartClient). What else a
// program reports is between it and its test.
const (
	// Ready says that a server listens.
	Ready = "ready"
	// Connected says that a client is connected.
	Connected = "connected"
)

// Event is what a program reports: one line of JSON on its standard output.
type Event struct {
	Name string        `json:"event"`          // Ready, Connected, or a name of the program's own
	Peer string        `json:"peer,omitempty"` // the other end's address
	For  time.Duration `json:"for,omitempty"`  // how long something took, in nanoseconds
	N    int           `json:"n,omitempty"`    // how many: reads, bytes
	Text string        `json:"text,omitempty"` // an errno, a reason

	At time.Time `json:"at"` // when it happened: the wall clock
}

// String is the event in words: "silent after 3.2s".
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

// Report writes an event to standard output; fixtures call it. A zero At means now.
func Report(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // the type has nothing that cannot be written
	}
	stdout.Lock()
	defer stdout.Unlock()
	// Nobody is left to tell when this fails.
	_, _ = os.Stdout.Write(append(line, '\n'))
}

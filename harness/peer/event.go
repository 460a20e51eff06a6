package peer

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// marker, in the environment, names the fixture that a process is to become.
const marker = "HALFOPEN_FIXTURE"

var (
	fixtures = map[string]func(arguments []string) error{}
	// mainCalled says that this binary, started again, would become a fixture and
	// not run as a whole once more.
	mainCalled bool
)

// Register makes a program known under a name. It is called from init functions.
// An error that the program returns is printed, and its process exits with 1.
func Register(name string, run func(arguments []string) error) {
	if _, known := fixtures[name]; known {
		panic("two fixtures are named " + name)
	}
	fixtures[name] = run
}

// Main is called first thing in main or TestMain, before flags are parsed. In a
// process that was started as a fixture it runs that and does not return; elsewhere
// it returns at once.
func Main() {
	mainCalled = true
	name := os.Getenv(marker)
	if name == "" {
		return
	}
	run, known := fixtures[name]
	if !known {
		fmt.Fprintf(os.Stderr, "there is no fixture %q: there are %s\n", name, strings.Join(slices.Sorted(maps.Keys(fixtures)), ", "))
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Fixture is the command that runs a registered program.
func Fixture(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", arguments...)
	cmd.Args[0] = "halfopen-" + name
	cmd.Env = append(os.Environ(), marker+"="+name)
	return cmd
}

// Event is what a program reports: one line of JSON on its standard output.
type Event struct {
	Name string        `json:"event"`          // "ready", "connected", "silent", …
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

// Report writes an event; fixtures call it. A zero At means now.
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

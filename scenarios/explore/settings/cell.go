package settings

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Cell is one combination of settings, and the firewall that the connection passes.
type Cell struct {
	// Keepalive is what is set on the socket, TCP_USER_TIMEOUT included. Without an idle time
	// keepalive is off.
	Keepalive oracle.Keepalive
	// Heartbeat is how often the program sends a message, which its peer answers; zero: it
	// sends none. Silence is how long the peer may be silent; zero: for ever.
	Heartbeat, Silence time.Duration
	Firewall           presets.Preset
	// Outside reports that the side with the settings is outside of the firewall: it has
	// accepted the connection.
	Outside bool
}

// Fate is what becomes of a connection.
type Fate string

// The fates.
const (
	Survives Fate = "survives" // it still carries data in both directions
	Noticed  Fate = "noticed"  // it is over, and the program has been told
	Never    Fate = "never"    // it is dead, and the program is not told
)

// What a program can be told in addition to errnos.
const (
	ToldZeroRead = "zero-read" // reading returned 0
	ToldSilence  = "silence"   // its peer had been silent for longer than the heartbeat allows
)

// Outcome is what a measurement has shown. Is is empty where there is none, and Trouble says why.
type Outcome struct {
	Is      Fate
	As      string        // Noticed: what the program was told: an errno, ToldZeroRead, ToldSilence
	After   time.Duration // Noticed: since the peer was last heard
	Trouble string
}

// outcomeJSON is an Outcome as a file has it.
type outcomeJSON struct {
	Is      Fate     `json:"is,omitempty"`
	As      string   `json:"as,omitempty"`
	After   *float64 `json:"after_seconds,omitempty"` // to a tenth
	Trouble string   `json:"trouble,omitempty"`
}

// MarshalJSON implements json.Marshaler. It never fails.
func (o Outcome) MarshalJSON() ([]byte, error) {
	file := outcomeJSON{Is: o.Is, As: o.As, Trouble: o.Trouble}
	if o.Is == Noticed {
		file.After = new(o.After.Round(100 * time.Millisecond).Seconds())
	}
	return json.Marshal(file)
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Outcome) UnmarshalJSON(content []byte) error {
	var file outcomeJSON
	if err := json.Unmarshal(content, &file); err != nil {
		return fmt.Errorf("reading the outcome of a cell: %w", err)
	}
	*o = Outcome{Is: file.Is, As: file.As, Trouble: file.Trouble}
	if file.After != nil {
		o.After = time.Duration(*file.After * float64(time.Second)).Round(100 * time.Millisecond)
	}
	return nil
}

// String returns the outcome in words: "ETIMEDOUT after 7876 s".
func (o Outcome) String() string {
	switch o.Is {
	case Noticed:
		return fmt.Sprintf("%s after %s", o.As, inSeconds(o.After))
	case "":
		return "not measured: " + o.Trouble
	}
	return string(o.Is)
}

func inSeconds(d time.Duration) string {
	if d < 10*time.Second && d%time.Second != 0 {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// short returns the outcome as a cell of a table has it: at most seven characters.
func (o Outcome) short() string {
	switch o.Is {
	case Survives:
		return "lives"
	case Noticed:
		return span(o.After)
	case "":
		return "?"
	}
	return string(o.Is)
}

// span returns a time in seconds, and from ten minutes on to the nearest minute.
func span(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case d < 10*time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case minutes < 60:
		return fmt.Sprintf("%dm", minutes)
	case minutes < 48*60:
		return fmt.Sprintf("%dh%02dm", minutes/60, minutes%60)
	}
	return fmt.Sprintf("%.1fd", d.Hours()/24)
}

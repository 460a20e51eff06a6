package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Toxic is a fault on a route, in one direction. Each toxic has a Stream, by default
// Downstream, and a Toxicity: the probability with which a connection gets the toxic. A nil
// Toxicity is 1. Toxiproxy decides again for a live connection when a later toxic is added
// or removed, and it has no seed. Durations are whole milliseconds.
type Toxic interface {
	message() (message, error)
}

// Stream is the direction of the data that a toxic affects.
type Stream int

// The directions.
const (
	Downstream Stream = iota // from the server to the client
	Upstream                 // from the client to the server
)

// String returns toxiproxy's name of the direction.
func (s Stream) String() string {
	switch s {
	case Downstream:
		return "downstream"
	case Upstream:
		return "upstream"
	}
	return fmt.Sprintf("stream-%d", int(s))
}

// Latency delivers data later, by a time that is evenly distributed over Delay ± Jitter,
// and in order. When it is removed live, the data on its way arrives at once.
type Latency struct {
	Stream        Stream
	Toxicity      *float64
	Delay, Jitter time.Duration // Jitter is at most Delay
}

// Timeout discards all data, and closes the connection with FIN to both ends when no data
// has come for the time After. If After is 0, it discards for ever, and the other direction
// works. When it is removed live, the connection is closed with FIN to both ends.
type Timeout struct {
	Stream   Stream
	Toxicity *float64
	After    time.Duration
}

// Bandwidth limits the rate. If KBps is 0, it holds all data back. When it is removed live,
// that data arrives, unless the receiver does not read it within 5 s.
type Bandwidth struct {
	Stream   Stream
	Toxicity *float64
	KBps     int64 // 1000 bytes a second
}

// ResetPeer discards data, and sends RST to both ends the time After the first byte. An
// idle connection is not reset. Connections that are older than the toxic get FIN instead
// of RST. With a Toxicity of 0 data passes, but an orderly close still becomes an RST. When
// it is removed live, toxiproxy first waits for a reset that is due.
type ResetPeer struct {
	Stream   Stream
	Toxicity *float64
	After    time.Duration
}

// LimitData closes the connection with FIN to both ends after a number of bytes, or at the
// first byte if Bytes is 0.
type LimitData struct {
	Stream   Stream
	Toxicity *float64
	Bytes    int64
}

// SlowClose delays an orderly close.
type SlowClose struct {
	Stream   Stream
	Toxicity *float64
	Delay    time.Duration
}

func (t Latency) message() (message, error) {
	var wrong error
	if t.Jitter > t.Delay {
		wrong = fmt.Errorf("the Jitter of %v is more than the Delay of %v", t.Jitter, t.Delay)
	}
	return newMessage("latency", t.Stream, t.Toxicity, wrong,
		milliseconds("latency", "Delay", t.Delay), milliseconds("jitter", "Jitter", t.Jitter))
}

func (t Timeout) message() (message, error) {
	return newMessage("timeout", t.Stream, t.Toxicity, nil, milliseconds("timeout", "After", t.After))
}

func (t Bandwidth) message() (message, error) {
	// Toxiproxy multiplies the rate by 100, and panics if that overflows.
	return newMessage("bandwidth", t.Stream, t.Toxicity, nil, number("rate", "KBps", t.KBps, math.MaxInt64/100))
}

func (t ResetPeer) message() (message, error) {
	return newMessage("reset_peer", t.Stream, t.Toxicity, nil, milliseconds("timeout", "After", t.After))
}

func (t LimitData) message() (message, error) {
	return newMessage("limit_data", t.Stream, t.Toxicity, nil, number("bytes", "Bytes", t.Bytes, math.MaxInt64))
}

func (t SlowClose) message() (message, error) {
	return newMessage("slow_close", t.Stream, t.Toxicity, nil, milliseconds("delay", "Delay", t.Delay))
}

// Command returns the shell command that adds a toxic to a route by hand, as AddLive does.
func Command(route string, t Toxic) string {
	m, err := t.message()
	if err != nil {
		return "# " + err.Error()
	}
	var attributes strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		fmt.Fprintf(&attributes, " --attribute %s=%d", name, m.Attributes[name])
	}
	return fmt.Sprintf("toxiproxy-cli toxic add --type %s --toxicName %s --%s --toxicity %v%s %s",
		m.Type, m.Name, m.Stream, m.Toxicity, &attributes, route)
}

// Describe returns a toxic in words: "Latency downstream, Delay 50ms". Fields that are
// zero are left out.
func Describe(t Toxic) string {
	switch t := t.(type) {
	case Latency:
		return describe("Latency", t.Stream, t.Toxicity, field("Delay", t.Delay), field("Jitter", t.Jitter))
	case Timeout:
		return describe("Timeout", t.Stream, t.Toxicity, field("After", t.After))
	case Bandwidth:
		return describe("Bandwidth", t.Stream, t.Toxicity, field("KBps", t.KBps))
	case ResetPeer:
		return describe("ResetPeer", t.Stream, t.Toxicity, field("After", t.After))
	case LimitData:
		return describe("LimitData", t.Stream, t.Toxicity, field("Bytes", t.Bytes))
	case SlowClose:
		return describe("SlowClose", t.Stream, t.Toxicity, field("Delay", t.Delay))
	}
	return fmt.Sprintf("%T", t)
}

func describe(name string, stream Stream, toxicity *float64, fields ...string) string {
	text := fmt.Sprintf("%s %v", name, stream)
	if toxicity != nil {
		text += fmt.Sprintf(", Toxicity %v", *toxicity)
	}
	return text + strings.Join(fields, "")
}

// field returns a field of a toxic in words; empty if it is zero.
func field[T comparable](name string, value T) string {
	var zero T
	if value == zero {
		return ""
	}
	return fmt.Sprintf(", %s %v", name, value)
}

// message is a toxic in toxiproxy's API.
type message struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	Stream     string           `json:"stream"`
	Toxicity   float64          `json:"toxicity"`
	Attributes map[string]int64 `json:"attributes"`
}

func newMessage(kind string, stream Stream, toxicity *float64, err error, attributes ...attribute) (message, error) {
	m := message{
		Name:       kind + "_" + stream.String(),
		Type:       kind,
		Stream:     stream.String(),
		Toxicity:   1,
		Attributes: map[string]int64{},
	}
	var errs []error
	if stream != Downstream && stream != Upstream {
		errs = append(errs, errors.New("the Stream is neither Downstream nor Upstream"))
	}
	if toxicity != nil {
		m.Toxicity = *toxicity
	}
	if !(m.Toxicity >= 0 && m.Toxicity <= 1) { // NaN is not
		errs = append(errs, fmt.Errorf("the Toxicity %v is not between 0 and 1", m.Toxicity))
	}
	for _, a := range attributes {
		m.Attributes[a.name] = a.value
		errs = append(errs, a.err)
	}
	return m, cmp.Or(append(errs, err)...)
}

type attribute struct {
	name  string
	value int64
	err   error
}

func milliseconds(name, field string, d time.Duration) attribute {
	a := attribute{name: name, value: d.Milliseconds()}
	switch {
	case d < 0:
		a.err = fmt.Errorf("the %s %v is negative", field, d)
	case d%time.Millisecond != 0:
		a.err = fmt.Errorf("the %s %v is not a whole number of milliseconds", field, d)
	}
	return a
}

func number(name, field string, n, most int64) attribute {
	a := attribute{name: name, value: n}
	switch {
	case n < 0:
		a.err = fmt.Errorf("the %s %d is negative", field, n)
	case n > most:
		a.err = fmt.Errorf("the %s %d is more than %d", field, n, most)
	}
	return a
}

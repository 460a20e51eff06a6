package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/nearest"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/quantity"
)

// Name is the name of a setting, as people write it.
type Name string

// The settings.
const (
	Idle        Name = "idle"         // TCP_KEEPIDLE, or off: no keepalive
	Interval    Name = "interval"     // TCP_KEEPINTVL
	Count       Name = "count"        // TCP_KEEPCNT
	UserTimeout Name = "user-timeout" // TCP_USER_TIMEOUT, or off
	Heartbeat   Name = "heartbeat"    // how often the program sends a message, or off
	Silence     Name = "silence"      // how long the heartbeat accepts that the peer is silent, or off
	Firewall    Name = "firewall"     // an idle timeout, a preset, or none
	Then        Name = "then"         // what a firewall that is no preset does with a flow that it has forgotten
)

// off is the value of a setting that is not set.
const off = "off"

// kind is a setting.
type kind struct {
	name    Name
	what    string
	initial string // its value where none is given
}

// kinds are the settings in the order in which they are listed.
var kinds = []kind{
	{Idle, "TCP_KEEPIDLE: the silence before the first keepalive probe; off: no keepalive", "60 s"},
	{Interval, "TCP_KEEPINTVL: the time between two probes", "75 s"},
	{Count, "TCP_KEEPCNT: how many unanswered probes end the connection", "9"},
	{UserTimeout, "TCP_USER_TIMEOUT: how long data may stay unacknowledged; off: the kernel's own limit", off},
	{Heartbeat, "how often the program itself sends a message, which its peer answers; off: never", off},
	{Silence, "how long the heartbeat lets the peer be silent; off: for ever", off},
	{Firewall, "a time, after which it forgets an idle flow; the name of a preset; none", "350 s"},
	{Then, "what it then does with the flow: " + strings.Join(thens, ", "), "silent-drop"},
}

// thens are the words of presets.AfterExpiry that a firewall without a preset may do.
var thens = []string{"silent-drop", "reset-sender", "reset-both", "pick-up", "pick-up-outbound"}

// Describe returns the settings with what each is, one a line.
func Describe() string {
	var b strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&b, "  %-13s %s (%s)\n", k.name, k.what, k.initial)
	}
	return strings.TrimRight(b.String(), "\n")
}

// Value is a value of a setting.
type Value struct {
	text   string
	time   time.Duration  // of settings that are times
	count  int            // of Count
	preset presets.Preset // of Firewall, without a name if it is a time
	named  bool           // the value of Firewall is a preset
	then   presets.AfterExpiry
}

// String returns the value in the one way in which it is printed.
func (v Value) String() string { return v.text }

// MarshalText implements encoding.TextMarshaler.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.text), nil }

// UnknownSetting is the error of a name that no setting has.
type UnknownSetting struct{ Name string }

// Error implements error. It names the settings that may have been meant.
func (e *UnknownSetting) Error() string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k.name))
	}
	return fmt.Sprintf("there is no setting %q: the nearest are %s", e.Name, strings.Join(nearest.To(e.Name, names, 3), ", "))
}

// limits are the times that a setting may have.
var limits = map[Name]quantity.Range{
	Idle:        {Unit: quantity.Seconds, Least: 1, Most: int(oracle.MaxKeepIdle / time.Second)},
	Interval:    {Unit: quantity.Seconds, Least: 1, Most: int(oracle.MaxKeepInterval / time.Second)},
	UserTimeout: {Unit: quantity.Milliseconds, Least: 1, Most: 1<<31 - 1},
	Heartbeat:   {Unit: quantity.Seconds, Least: 1, Most: 24 * 3600},
	Silence:     {Unit: quantity.Seconds, Least: 1, Most: 24 * 3600},
	Firewall:    {Unit: quantity.Seconds, Least: 1, Most: 30 * 24 * 3600},
}

// parse reads a value of a setting.
func (n Name) parse(text string) (v Value, err error) {
	text = strings.TrimSpace(text)
	wrong := func(err error) error { return fmt.Errorf("the %q of %s: %w", text, n, err) }
	switch {
	case text == "":
		return v, fmt.Errorf("a value of %s is empty: leave out the comma, or give a value", n)
	case text == off && (n == Idle || n == UserTimeout || n == Heartbeat || n == Silence):
		return Value{text: off}, nil
	case n == Count:
		v.count, err = strconv.Atoi(text)
		if err != nil || v.count < 1 || v.count > oracle.MaxKeepCount {
			return v, wrong(fmt.Errorf("it must be a whole number from 1 to %d", oracle.MaxKeepCount))
		}
		v.text = strconv.Itoa(v.count)
		return v, nil
	case n == Then:
		if !slices.Contains(thens, text) {
			return v, wrong(fmt.Errorf("it must be one of %s", strings.Join(thens, ", ")))
		}
		v.text = text
		return v, v.then.UnmarshalText([]byte(text))
	case n == Firewall && (text[0] < '0' || text[0] > '9'):
		return parseFirewall(text)
	}
	number, err := limits[n].Parse(text)
	if err != nil {
		return v, wrong(err)
	}
	v.text, v.time = limits[n].Unit.Format(number), limits[n].Unit.Time(number)
	if seconds := v.time / time.Second; v.time%time.Second == 0 {
		v.text = quantity.Seconds.Format(int(seconds))
	}
	v.preset.Idle = v.time
	return v, nil
}

// none is the firewall that forgets nothing.
const none = "none"

func parseFirewall(text string) (Value, error) {
	if text == none {
		return Value{text: none, named: true, preset: presets.Preset{Name: none}}, nil
	}
	p, err := presets.Parse(text)
	if _, unknown := errors.AsType[*presets.UnknownPreset](err); unknown {
		return Value{}, fmt.Errorf("%w; a firewall is a time such as 350s, a preset ('halfopen presets' lists them), or %s", err, none)
	}
	return Value{text: p.Name, named: true, preset: p}, err
}

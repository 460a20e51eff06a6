package settings

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Axis is a setting with the values that are swept.
type Axis struct {
	Name   Name    `json:"name"`
	Values []Value `json:"values"`
}

// all is a value of the setting Firewall that stands for all presets.
const all = "presets"

// most is the most values of an axis, and mostCells the most cells of a grid.
const (
	most      = 100
	mostCells = 1500
)

// ParseAxis reads an axis: "idle=off,15s,60s", "firewall=presets".
func ParseAxis(text string) (Axis, error) {
	name, list, valued := strings.Cut(text, "=")
	a := Axis{Name: Name(strings.TrimSpace(name))}
	if !slices.ContainsFunc(kinds, func(k kind) bool { return k.name == a.Name }) {
		return a, &UnknownSetting{string(a.Name)}
	}
	if !valued {
		return a, fmt.Errorf("%q has no value: write it as %s=VALUE,VALUE", text, a.Name)
	}
	for part := range strings.SplitSeq(list, ",") {
		if a.Name == Firewall && strings.TrimSpace(part) == all {
			for _, p := range presets.All() {
				a.Values = append(a.Values, Value{text: p.Name, named: true, preset: p})
			}
			continue
		}
		v, err := a.Name.parse(part)
		if err != nil {
			return a, err
		}
		a.Values = append(a.Values, v)
	}
	for i, v := range a.Values {
		if slices.ContainsFunc(a.Values[:i], func(o Value) bool { return o.text == v.text }) {
			return a, fmt.Errorf("%s has the value %s twice: leave one out", a.Name, v)
		}
	}
	if len(a.Values) > most {
		return a, fmt.Errorf("%s has %d values: an axis has at most %d", a.Name, len(a.Values), most)
	}
	return a, nil
}

// Setting is a setting with one value.
type Setting struct {
	Name  Name  `json:"name"`
	Value Value `json:"value"`
}

// Grid is what is swept, and what stays as it is.
type Grid struct {
	Rows, Columns Axis
	Fixed         []Setting // the other settings, each once
	Outside       bool      // the side with the settings has accepted the connection
	// Program reports that the connections are a program's own, which has its own heartbeat.
	Program bool
}

// The axes of a grid whose user names none. With a program the presets are those that differ
// most, since each cell is a copy of the program.
const (
	DefaultRows        = "firewall=presets"
	DefaultColumns     = "idle=off,15s,60s,210s,300s,600s,1800s,3600s,7200s"
	DefaultProgramRows = "firewall=azure-lb,azure-lb-tcpreset,aws-nat-gw,aws-nlb-tcp,gcp-vpc-firewall,ipvs,juniper-srx,cisco-asa,rfc5382-nat,linux-nf_conntrack"
)

// NewGrid returns a grid. The settings that it is not given have their defaults. Its errors are one
// line each.
func NewGrid(rows, columns Axis, fixed []Setting, outside, program bool) (Grid, error) {
	g := Grid{Rows: rows, Columns: columns, Outside: outside, Program: program}
	if rows.Name == columns.Name {
		return g, fmt.Errorf("%s is on both axes: choose another setting for one", rows.Name)
	}
	given := map[Name]Value{}
	for _, f := range fixed {
		if f.Name == rows.Name || f.Name == columns.Name {
			return g, fmt.Errorf("%s is on an axis, and has one value as well: leave one out", f.Name)
		}
		if _, twice := given[f.Name]; twice {
			return g, fmt.Errorf("%s is set twice: set it once", f.Name)
		}
		given[f.Name] = f.Value
	}
	has := func(n Name) bool { _, ok := given[n]; return ok || rows.Name == n || columns.Name == n }
	for _, k := range kinds {
		if has(k.name) {
			if v, ok := given[k.name]; ok {
				g.Fixed = append(g.Fixed, Setting{k.name, v})
			}
			continue
		}
		if program && (k.name == Heartbeat || k.name == Silence) || k.name == Then && g.onlyPresets(given) {
			continue
		}
		v, err := k.name.parse(k.initial)
		if err != nil {
			return g, err
		}
		g.Fixed = append(g.Fixed, Setting{k.name, v})
	}
	switch {
	case program && (has(Heartbeat) || has(Silence)):
		return g, fmt.Errorf("a program has its own heartbeat, which cannot be set from outside: leave out %s and %s, or the program", Heartbeat, Silence)
	case has(Silence) && !has(Heartbeat):
		return g, fmt.Errorf("%s is for a heartbeat, and there is none: set %s as well", Silence, Heartbeat)
	case has(Then) && g.onlyPresets(given):
		return g, fmt.Errorf("a preset says what it does with a forgotten flow: leave out %s, or write the firewall as a time", Then)
	case len(rows.Values)*len(columns.Values) > mostCells:
		return g, fmt.Errorf("%d times %d values are %d cells, and the most is %d: leave out some values", len(rows.Values), len(columns.Values), len(rows.Values)*len(columns.Values), mostCells)
	}
	return g, g.check()
}

// onlyPresets reports whether no firewall of the grid is a time.
func (g Grid) onlyPresets(fixed map[Name]Value) bool {
	for _, a := range []Axis{g.Rows, g.Columns} {
		if a.Name == Firewall {
			return !slices.ContainsFunc(a.Values, func(v Value) bool { return !v.named })
		}
	}
	v, ok := fixed[Firewall]
	return ok && v.named
}

// Cells returns the cells, row by row.
func (g Grid) Cells() (cells []Cell) {
	for _, row := range g.Rows.Values {
		for _, column := range g.Columns.Values {
			values := map[Name]Value{g.Rows.Name: row, g.Columns.Name: column}
			for _, f := range g.Fixed {
				values[f.Name] = f.Value
			}
			cells = append(cells, g.cell(values))
		}
	}
	return cells
}

func (g Grid) cell(values map[Name]Value) Cell {
	c := Cell{
		Keepalive: oracle.Keepalive{Idle: values[Idle].time, UserTimeout: values[UserTimeout].time},
		Heartbeat: values[Heartbeat].time, Silence: values[Silence].time, Firewall: values[Firewall].preset, Outside: g.Outside,
	}
	if c.Keepalive.Idle > 0 {
		c.Keepalive.Interval, c.Keepalive.Count = values[Interval].time, values[Count].count
	}
	if !values[Firewall].named {
		c.Firewall.Name, c.Firewall.AfterExpiry = values[Firewall].text, values[Then].then
	}
	return c
}

// mostPackets bounds the packets of all cells together: each costs some 50 µs of real time.
const mostPackets = 1_000_000

// check reports, in one line, what cannot be measured.
func (g Grid) check() error {
	packets := 0
	for _, c := range g.Cells() {
		if err := c.Keepalive.Validate(); err != nil {
			return err
		}
		if g.Program && c.Firewall.Proxy() {
			return fmt.Errorf("%s is a proxy, and a program is measured behind firewalls: leave it out, or the program", c.Firewall.Name)
		}
		if next := soonest(repeated(c.Keepalive).Idle, c.Heartbeat); next != nil {
			count := int((c.Watch()+time.Second)/next.Earliest + 1)
			if !c.Firewall.Proxy() && c.Firewall.Idle > (setBacks+2)*next.Latest {
				count = min(count, setBacks)
			}
			packets += 2 * count
		}
	}
	if packets > mostPackets {
		return fmt.Errorf("the cells would exchange some %d packets while they are watched, and the most is %d: leave out the shortest idle times and heartbeats, or the longest firewalls", packets, mostPackets)
	}
	return nil
}

// Watch returns how long the idle connection of a cell is watched, and the one whose peer loses
// power: until the firewall has forgotten it, if anything lets it, and what the settings do has
// been done.
func (c Cell) Watch() time.Duration {
	var does time.Duration
	if c.Keepalive.Idle > 0 {
		k := repeated(c.Keepalive)
		does = 2*k.Idle + k.Death().Latest
	}
	if c.Heartbeat > 0 {
		does = max(does, 2*c.Heartbeat+2*oracle.Silence(c.Silence, c.Heartbeat).Latest, 2*c.Heartbeat+2*oracle.GiveUp(oracle.Retries2, rto).Latest, 2*(c.Heartbeat+c.Keepalive.UserTimeout))
	}
	return c.Firewall.Idle + oracle.Tolerance(c.Firewall.Idle) + does + oracle.Tolerance(does) + time.Minute
}

package settings

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Schema is the version of the JSON of a Map. It changes when an old reader would misread a new
// map, or the other way round.
const Schema = 1

// Map is what was measured of a grid, beside what the oracle says.
type Map struct {
	Version int    `json:"schema_version"`
	Kernel  string `json:"kernel"`
	Program string `json:"program,omitempty"` // whose connections they are; empty: the harness's own
	// ByItself is what the program and its peer do without being asked, in a sentence: it may
	// explain differences. Empty: nothing.
	ByItself string    `json:"by_itself,omitempty"`
	Rows     Axis      `json:"rows"`
	Columns  Axis      `json:"columns"`
	Fixed    []Setting `json:"fixed"`
	Cells    []Spot    `json:"cells"` // row by row
	// Frontier is the largest keepalive idle that survives each firewall, where those are the
	// axes.
	Frontier []Frontier `json:"frontier,omitempty"`
}

// Spot is a cell of a map.
type Spot struct {
	Row    Value `json:"row"`
	Column Value `json:"column"`
	Idle   Said  `json:"idle"`
	Off    Said  `json:"power_off"`
}

// Said is what was measured, and what the oracle says.
type Said struct {
	Measured Outcome `json:"measured"`
	Oracle   Words   `json:"oracle"`
	Agrees   bool    `json:"agrees"`
}

// MarshalText implements encoding.TextMarshaler.
func (w Words) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func say(o Outcome, w Words) Said { return Said{o, w, w.Allows(o)} }

// Join returns the map of a grid with the outcomes of its cells.
func Join(g Grid, pairs []Pair, kernel string) *Map {
	m := &Map{Version: Schema, Kernel: kernel, Rows: g.Rows, Columns: g.Columns, Fixed: g.Fixed}
	for i, c := range g.Cells() {
		m.Cells = append(m.Cells, Spot{
			Row: g.Rows.Values[i/len(g.Columns.Values)], Column: g.Columns.Values[i%len(g.Columns.Values)],
			Idle: say(pairs[i].Idle, c.Idle()), Off: say(pairs[i].Off, c.Off()),
		})
	}
	m.Frontier = m.frontier()
	return m
}

// Frontier is the largest keepalive idle of the map with which an idle connection survives a
// firewall, so that all smaller ones do. Empty: none does.
type Frontier struct {
	Firewall Value  `json:"firewall"`
	Measured string `json:"measured"`
	Oracle   string `json:"oracle"`            // with which the oracle is sure that it survives
	Perhaps  string `json:"perhaps,omitempty"` // with which the oracle allows that it does, where that is more
}

// frontier returns the frontier; nil where the axes are others.
func (m *Map) frontier() (all []Frontier) {
	var row func(firewall, idle int) Spot
	var firewalls, idles []Value
	switch {
	case m.Rows.Name == Firewall && m.Columns.Name == Idle:
		firewalls, idles = m.Rows.Values, m.Columns.Values
		row = func(f, i int) Spot { return m.at(f, i) }
	case m.Rows.Name == Idle && m.Columns.Name == Firewall:
		firewalls, idles = m.Columns.Values, m.Rows.Values
		row = func(f, i int) Spot { return m.at(i, f) }
	default:
		return nil
	}
	order := make([]int, len(idles))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(idles[a].time - idles[b].time) })
	for f, firewall := range firewalls {
		largest := func(lives func(Said) bool) (text string) {
			for _, i := range order {
				if idles[i].text == off {
					continue
				}
				if !lives(row(f, i).Idle) {
					break
				}
				text = idles[i].text
			}
			return text
		}
		lives := func(w Word) bool { return w.Is == Survives }
		next := Frontier{
			Firewall: firewall,
			Measured: largest(func(s Said) bool { return s.Measured.Is == Survives }),
			Oracle:   largest(func(s Said) bool { return s.Oracle.Certain() && lives(s.Oracle[0]) }),
			Perhaps:  largest(func(s Said) bool { return slices.ContainsFunc(s.Oracle, lives) }),
		}
		if next.Perhaps == next.Oracle {
			next.Perhaps = ""
		}
		all = append(all, next)
	}
	return all
}

// at returns the cell of a row and a column.
func (m *Map) at(row, column int) Spot { return m.Cells[row*len(m.Columns.Values)+column] }

// Differences returns the cells that differ from the oracle, one a line.
func (m *Map) Differences() (lines []string) {
	for _, s := range m.Cells {
		for _, q := range []struct {
			what string
			said Said
		}{{"idle", s.Idle}, {"power off", s.Off}} {
			if !q.said.Agrees {
				lines = append(lines, fmt.Sprintf("%s %v, %s %v, %s: %v; the oracle: %v", m.Rows.Name, s.Row, m.Columns.Name, s.Column, q.what, q.said.Measured, q.said.Oracle))
			}
		}
	}
	return lines
}

// JSON returns the map as JSON.
func (m *Map) JSON() ([]byte, error) {
	content, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the map as JSON: %w", err)
	}
	return append(content, '\n'), nil
}

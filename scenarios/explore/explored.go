package explore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// Explored is what came of an exploration: JSONFile. It depends on the plan and on which batches
// were made, and not on where, when or in which order. Durations are in nanoseconds in JSON.
type Explored struct {
	SchemaVersion int             `json:"schema_version"`
	Halfopen      string          `json:"halfopen"` // the version that made it
	Command       string          `json:"command"`  // explores the same subject
	Quiet         Quiet           `json:"quiet"`    // the run without a fault
	Seed          uint64          `json:"seed"`
	Instants      []time.Duration `json:"instants"` // at which faults struck, ascending
	Rows          []Row           `json:"rows"`     // the map: each way at each instant
	Wanted        int             `json:"wanted"`   // how many runs were to be made
	Made          int             `json:"made"`
	Broken        int             `json:"broken"`             // runs that break an invariant
	Findings      []Finding       `json:"findings"`           // the worst first
	Troubles      []Trouble       `json:"troubles,omitempty"` // why runs show nothing
}

// Row is a row of the map.
type Row struct {
	Way
	Cells string `json:"cells"` // a Cell for each instant
}

// The cells of a row.
const (
	Held      = '.' // all invariants held
	Violated  = 'X'
	Unknown   = '?' // the run shows nothing
	NotWanted = ' ' // there was no such run
)

// Finding is runs that break one invariant in one way when one fault strikes.
type Finding struct {
	Violation        // as the smallest run has it
	Fault     string `json:"fault"`
	Runs      int    `json:"runs"`  // how many of the plan break it
	First     Run    `json:"first"` // the earliest of the plan
	Smallest  Run    `json:"smallest"`
	// Alone reports that the smallest run breaks the invariant alone in a guest of its own, and
	// that its story is kept. False: it was not tried, or only in a batch it was so.
	Alone bool `json:"alone"`
	// Trouble is why the smallest run could not be made alone; empty: it was, or was not tried.
	Trouble string `json:"trouble,omitempty"`
	// Kept is the directory with the smallest run's ladder, timeline and packets, below that of
	// the exploration; empty: it was not made alone.
	Kept  string `json:"kept,omitempty"`
	After string `json:"after,omitempty"` // the last event of the quiet run before the smallest run's strike
	Then  string `json:"then,omitempty"`  // the first event that would have come after it
}

// Trouble is why some runs show nothing.
type Trouble struct {
	Why  string `json:"why"` // as the first of them has it
	Runs int    `json:"runs"`
}

// Complete reports whether all runs that were wanted were made.
func (e *Explored) Complete() bool { return e.Made == e.Wanted }

// Troubled returns how many runs show nothing.
func (e *Explored) Troubled() (runs int) {
	for _, t := range e.Troubles {
		runs += t.Runs
	}
	return runs
}

// sum returns what came of the batches that were made, with findings as they were first seen.
func (w *work) sum(made map[int][]Outcome) *Explored {
	p := w.Plan
	e := &Explored{
		SchemaVersion: Schema, Halfopen: p.Halfopen, Command: w.Command, Quiet: p.Quiet, Seed: p.Seed, Instants: p.Instants,
		Wanted: min(w.Batches*BatchSize, p.Runs()), Findings: []Finding{},
	}
	cells := make([][]byte, len(p.Ways))
	for i := range cells {
		cells[i] = []byte(strings.Repeat(string(NotWanted), len(p.Instants)))
	}
	g := newGroups(p)
	var troubles []Trouble
	for number := range w.Batches {
		for i, o := range made[number] {
			instant, way := p.place(number*BatchSize + i)
			e.Made++
			cell := &cells[way][instant]
			switch {
			case o.Trouble != "":
				*cell = Unknown
				at := slices.IndexFunc(troubles, func(t Trouble) bool { return sortOf(t.Why) == sortOf(o.Trouble) })
				if at < 0 {
					at, troubles = len(troubles), append(troubles, Trouble{Why: o.Trouble})
				}
				troubles[at].Runs++
			case len(o.Violations) > 0:
				*cell = Violated
				e.Broken++
				g.add(instant, way, o.Violations)
			default:
				*cell = Held
			}
		}
	}
	slices.SortStableFunc(troubles, func(a, b Trouble) int { return b.Runs - a.Runs })
	e.Troubles = troubles
	for i, way := range p.Ways {
		e.Rows = append(e.Rows, Row{way, string(cells[i])})
	}
	for _, group := range g.sorted() {
		e.Findings = append(e.Findings, group.finding(p))
	}
	return e
}

// conclude makes the findings smaller and writes what was found. ended is why it ended early.
func (c Config) conclude(ctx context.Context, w *work, made map[int][]Outcome, ended error) (*Explored, error) {
	e := w.sum(made)
	if ended == nil {
		ended = c.shrinkAll(ctx, w, e)
	}
	if ended != nil {
		ended = fmt.Errorf("ended early, after %d of %d runs, which are kept in %s: the same command goes on: %w", e.Made, e.Wanted, w.directory, ended)
	}
	return e, errors.Join(e.write(w.directory), ended)
}

func (e *Explored) write(directory string) error {
	content, err := e.JSON()
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(directory, JSONFile), content, 0o644)
}

// JSON returns it as JSONFile has it.
func (e *Explored) JSON() ([]byte, error) {
	content, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing what was explored as JSON: %w", err)
	}
	return append(content, '\n'), nil
}

// largest is more than any JSONFile has.
const largest = 256 << 20

// Read reads what was found by an exploration whose directory is named.
func Read(ctx context.Context, directory string) (*Explored, error) {
	file := filepath.Join(directory, JSONFile)
	content, err := inputfile.Read(ctx, file, largest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s: an exploration leaves it when it ends, and merge from the parts of one", directory, JSONFile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was explored: %w", err)
	}
	return parseExplored(file, content)
}

func parseExplored(file string, content []byte) (*Explored, error) {
	var of struct {
		SchemaVersion int `json:"schema_version"`
	}
	if err := inputfile.Unmarshal(content, &of); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if of.SchemaVersion != Schema {
		return nil, fmt.Errorf("%s has the schema %d, and this halfopen reads %d: explore again with this one", file, of.SchemaVersion, Schema)
	}
	e := &Explored{}
	if err := inputfile.Unmarshal(content, e); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, r := range e.Rows {
		if len(r.Cells) != len(e.Instants) {
			return nil, fmt.Errorf("%s is damaged: %q has %d cells for %d instants: explore again", file, r.Words(), len(r.Cells), len(e.Instants))
		}
	}
	return e, nil
}

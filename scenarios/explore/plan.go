package explore

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/version"
)

// Wish is what is asked of an exploration of instants.
type Wish struct {
	Faults []string        // the titles of those that strike; empty: DefaultFaults
	Healed []time.Duration // how long after a strike it is healed, if it can be; zero: never; empty: DefaultHealed
	At     []time.Duration // the instants of the strikes; empty: those that the quiet run gives
	Seed   uint64
}

// DefaultHealed are the times after which faults are healed unless others are asked for.
func DefaultHealed() []time.Duration { return []time.Duration{0, time.Second, time.Minute} }

// longest is the latest instant, and the longest time until a fault is healed.
const longest = 30 * 24 * time.Hour

// Check returns an error, in one line, if the wish makes no sense.
func (w Wish) Check() error {
	_, err := w.ways()
	for _, d := range w.Healed {
		if d < 0 || d > longest {
			err = cmp.Or(err, fmt.Errorf("a fault that is healed after %v: choose from 0s to %v, or never (--healed)", d, longest))
		}
	}
	for _, d := range w.At {
		if d < 0 || d > longest {
			err = cmp.Or(err, fmt.Errorf("a strike %v after the first packet: choose from 0s to %v (--at)", d, longest))
		}
	}
	return err
}

// ways returns each fault with each time after which it is healed, without repetitions.
func (w Wish) ways() (all []Way, err error) {
	faults, healed := w.Faults, w.Healed
	if len(faults) == 0 {
		faults = DefaultFaults()
	}
	if len(healed) == 0 {
		healed = DefaultHealed()
	}
	for _, title := range faults {
		name, heals, err := parse(title)
		if err != nil {
			return nil, err
		}
		after := []time.Duration{0}
		if heals {
			after = healed
		}
		for _, d := range after {
			if way := (Way{name, d}); !slices.Contains(all, way) {
				all = append(all, way)
			}
		}
	}
	return all, nil
}

// Way is how a strike goes: a fault, and when it is healed.
type Way struct {
	Fault  string        `json:"fault"`
	Healed time.Duration `json:"healed,omitempty"` // after the strike; zero: never
}

// Words returns the way in words: "drop in both directions, healed after 1 s".
func (w Way) Words() string {
	if w.Healed == 0 {
		return w.Fault
	}
	return fmt.Sprintf("%s, healed after %s", w.Fault, inWords(w.Healed))
}

// Plan is all runs of an exploration: each way at each instant. It depends on the wish and on the
// quiet run alone, and so is the same on every machine.
type Plan struct {
	SchemaVersion int             `json:"schema_version"`
	Halfopen      string          `json:"halfopen"` // the version (harness/version)
	Seed          uint64          `json:"seed"`
	Quiet         Quiet           `json:"quiet"`
	Chosen        bool            `json:"chosen,omitempty"` // the user has chosen the instants
	Instants      []time.Duration `json:"instants"`         // ascending
	Ways          []Way           `json:"ways"`
}

// Schema is the version of the files of an exploration: plan.json, those of batches, and
// explored.json.
const Schema = 1

// mostRuns keeps a plan in memory, and its batches in a directory.
const mostRuns = 1 << 20

// newPlan returns the plan of a wish that makes sense.
func newPlan(w Wish, q Quiet) (*Plan, error) {
	ways, err := w.ways()
	if err != nil {
		return nil, err
	}
	p := &Plan{SchemaVersion: Schema, Halfopen: version.String(), Seed: w.Seed, Quiet: q, Ways: ways, Instants: instants(q)}
	if len(w.At) > 0 {
		p.Chosen, p.Instants = true, slices.Clone(w.At)
		slices.Sort(p.Instants)
		p.Instants = slices.Compact(p.Instants)
	}
	switch {
	case len(p.Instants) == 0:
		return nil, errors.New("nothing happens in the quiet run: there is no instant at which a fault could matter: let the subject exchange something, or name instants (--at)")
	case p.Runs() > mostRuns:
		return nil, fmt.Errorf("%d instants and %d faults and times would be %d runs, and the most are %d: name fewer faults (--fault), times (--healed) or instants (--at)", len(p.Instants), len(ways), p.Runs(), mostRuns)
	}
	return p, nil
}

// instants returns the instants at which a fault could matter: before, at and after each event
// of the quiet run, and between two of them. Those closer than a strike's precision are one.
func instants(q Quiet) []time.Duration {
	precision := max(q.Precision, time.Microsecond)
	var all []time.Duration
	for i, e := range q.Events {
		next := max(q.Lasted, e.At)
		if i+1 < len(q.Events) {
			next = q.Events[i+1].At
		}
		all = append(all, e.At-precision, e.At, e.At+precision, e.At+(next-e.At)/2)
	}
	slices.Sort(all)
	var apart []time.Duration
	for _, at := range all {
		if at >= 0 && (len(apart) == 0 || at-apart[len(apart)-1] >= precision) {
			apart = append(apart, at)
		}
	}
	return apart
}

// Runs returns how many runs the plan has.
func (p *Plan) Runs() int { return len(p.Instants) * len(p.Ways) }

// place returns the instant and the way of a run, as places in the plan. Runs that follow each
// other are far apart, so that the first so many of them are spread over all instants and ways:
// they go around by a step that is near the golden section of all, and has no divisor in common
// with it.
func (p *Plan) place(number int) (instant, way int) {
	all := p.Runs()
	step := max(1, int(float64(all)*0.6180339887498949))
	for gcd(step, all) != 1 {
		step++
	}
	at := int(int64(number) * int64(step) % int64(all))
	return at / len(p.Ways), at % len(p.Ways)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// run returns a run of the plan by its number.
func (p *Plan) run(number int) Run {
	instant, way := p.place(number)
	return p.at(instant, way)
}

// at returns the run with an instant and a way.
func (p *Plan) at(instant, way int) Run {
	w := p.Ways[way]
	return Run{Seed: p.Seed, Strikes: []Strike{{Fault: w.Fault, At: p.Instants[instant], Healed: w.Healed}}}
}

// BatchSize is how many runs have one guest, one after another. It does not depend on the
// machine: the outcomes of a batch are those of its runs together.
const BatchSize = 32

// batches returns how many batches so many runs are.
func batches(runs int) int { return (runs + BatchSize - 1) / BatchSize }

// batch returns the runs of a batch.
func (p *Plan) batch(number int) (runs []Run) {
	for i := number * BatchSize; i < min((number+1)*BatchSize, p.Runs()); i++ {
		runs = append(runs, p.run(i))
	}
	return runs
}

// digest identifies the plan.
func (p *Plan) digest() string {
	content, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// differs names what another plan has that this one has not; empty: they are one.
func (p *Plan) differs(other *Plan) string {
	for _, v := range []struct{ name, this, that string }{
		{"halfopen", p.Halfopen, other.Halfopen},
		{"subject", p.Quiet.Of, other.Quiet.Of},
		{"seed", fmt.Sprint(p.Seed), fmt.Sprint(other.Seed)},
		{"faults and times", fmt.Sprint(p.Ways), fmt.Sprint(other.Ways)},
	} {
		if v.this != v.that {
			return fmt.Sprintf("%s: %s and %s", v.name, v.this, v.that)
		}
	}
	switch {
	case p.Chosen != other.Chosen || p.Chosen && !slices.Equal(p.Instants, other.Instants):
		return "instants"
	case p.digest() != other.digest():
		return "quiet run"
	}
	return ""
}

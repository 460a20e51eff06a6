package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore/settings"
)

// variantsEach is how many copies of a program one guest has, at most.
const variantsEach = 40

// variants returns what an audit does for a cell: one trial for its idle connection, and one for the
// connection whose peer's host loses power.
func variants(number int, c settings.Cell) (both [2]audit.Variant) {
	v := audit.Variant{Keepalive: c.Keepalive, Watch: c.Watch()}
	if p, err := presets.Parse(c.Firewall.Name); err == nil {
		v.Preset = p.Name
	} else {
		v.Forgets, v.Then = c.Firewall.Idle, c.Firewall.AfterExpiry
	}
	both = [2]audit.Variant{v, v}
	both[0].Name = fmt.Sprintf("cell %d, idle", number)
	both[1].Name, both[1].PowerOff = fmt.Sprintf("cell %d, power off", number), true
	return both
}

// measureProgram measures the cells with a program's own connections, in as many guests at once as
// there are cores. What each guest has does not depend on the cores.
func (m *mapping) measureProgram(ctx context.Context, cells []settings.Cell) (pairs []settings.Pair, found *answer.Answer, err error) {
	held, err := report.Open(m.request.Report)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (--report)", err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := held.Empty(); err != nil {
		return nil, nil, fmt.Errorf("%w (--report)", err)
	}
	var all []audit.Variant
	for i, c := range cells {
		both := variants(i, c)
		all = append(all, both[0], both[1])
	}
	guests := (len(all) + variantsEach - 1) / variantsEach
	outcomes := make([]settings.Outcome, len(all))
	cores, err := virtual.Cores()
	if err != nil {
		return nil, nil, err
	}
	turns := make(chan struct{}, len(cores))
	errs, answers := make([]error, guests), make([]*answer.Answer, guests)
	var running sync.WaitGroup
	for g := range guests {
		running.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			r := m.request
			r.Report = filepath.Join(m.request.Report, fmt.Sprintf("guest-%d", g+1))
			r.Progress = nil
			for i := g; i < len(all); i += guests {
				r.Variants = append(r.Variants, all[i])
			}
			a, err := audit.Run(ctx, r)
			if err != nil {
				errs[g] = err
				return
			}
			answers[g] = a
			for n, f := range a.Varied {
				outcomes[g+n*guests] = outcomeOf(f)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, nil, err
		}
	}
	for i := range cells {
		pairs = append(pairs, settings.Pair{Idle: outcomes[2*i], Off: outcomes[2*i+1]})
	}
	return pairs, answers[0], nil
}

// told are the words of the map for what a kernel learns.
var told = map[string]string{"RST": "ECONNRESET", "FIN": settings.ToldZeroRead}

// outcomeOf returns what became of the connection of a variant: what its kernel learned, since that
// is what the settings decide.
func outcomeOf(f answer.Fault) settings.Outcome {
	switch {
	case f.Verdict == answer.Alive:
		return settings.Outcome{Is: settings.Survives}
	case f.Verdict == answer.Never:
		return settings.Outcome{Is: settings.Never}
	case f.Kernel != nil && (f.Verdict == answer.Noticing || f.Verdict == answer.KernelOnly):
		as, other := told[f.Kernel.What]
		if !other {
			as = f.Kernel.What
		}
		return settings.Outcome{Is: settings.Noticed, As: as, After: f.Kernel.After.Duration()}
	case f.Verdict == answer.Noticing && f.Noticed != nil:
		return settings.Outcome{Is: settings.Noticed, As: f.Noticed.What, After: f.Noticed.After.Duration()}
	}
	return settings.Outcome{Trouble: f.Words()}
}

// measureMapOfProgram measures the map of a program's own connections.
func (m *mapping) measureMapOfProgram(ctx context.Context, grid settings.Grid) (*settings.Map, error) {
	cells := grid.Cells()
	fmt.Fprintf(os.Stderr, "halfopen: measuring %d cells in virtual time, each with two copies of the program\n", len(cells))
	began := time.Now()
	pairs, found, err := m.measureProgram(ctx, cells)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "halfopen: %d cells in %v; the captures are in %s\n", len(cells), time.Since(began).Round(100*time.Millisecond), m.report)
	made := settings.Join(grid, pairs, found.Kernel)
	made.Program = fmt.Sprintf("the %s %s", found.Program.Side, found.Program.Command)
	made.ByItself = byItself(found)
	return made, nil
}

// byItself returns what the program and its peer send without being asked, which explains cells that
// live although the settings would not keep them.
func byItself(a *answer.Answer) string {
	switch {
	case a.Wire.Ended != nil:
		return fmt.Sprintf("The program ends an idle session by itself after %v.", a.Wire.Ended.After)
	case a.Wire.EndedByPeer != nil:
		return fmt.Sprintf("The peer ends an idle session by itself after %v.", a.Wire.EndedByPeer.After)
	case a.Wire.Heartbeat != nil:
		return fmt.Sprintf("The %s sends %d bytes by itself every %v.", a.Wire.Heartbeat.By, a.Wire.Heartbeat.Bytes, a.Wire.Heartbeat.Period)
	case a.Wire.PeerProbes > 0:
		return fmt.Sprintf("The peer's kernel probes by itself: without the settings there is never more than %v without a packet.", a.Wire.PeerAlone.Lasted)
	}
	return ""
}

package settings

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

// Where things are in the guest.
const (
	self        = "/usr/lib/halfopen"
	cellsFile   = "/etc/halfopen-cells"
	guestReport = "/report"
)

// firewallsEach is how many firewalls a guest plays, at most: each has two labs of some five
// megabytes.
const firewallsEach = 10

// Measurement is how cells are measured.
type Measurement struct {
	Machine machine.Want
	Seed    uint64 // decides everything random
	Memory  int    // of each guest, in MiB; zero: as much as it needs
	Log     io.Writer
}

// Took is what a measurement cost.
type Took struct {
	Kernel        string
	Guests        int
	Virtual, Wall time.Duration // Virtual: of all guests together
}

// Measure plays the cells with connections of its own and returns what has become of each. The
// guests are the same on any number of cores, and as many run at once as there are cores.
func Measure(ctx context.Context, cells []Cell, m Measurement) (pairs []Pair, took Took, err error) {
	found, err := machine.Find(ctx, m.Machine, m.Log)
	if err != nil {
		return nil, took, err
	}
	cores, err := virtual.Cores()
	if err != nil {
		return nil, took, err
	}
	files := &virtual.Files{}
	if err := errors.Join(debian.Tools(ctx, files), root.AddSelf(files, self)); err != nil {
		return nil, took, err
	}
	groups := byFirewall(cells)
	guests := make([][]int, (len(groups)+firewallsEach-1)/firewallsEach)
	for i, members := range groups { // neighbours, which cost about as much, go to different guests
		guests[i%len(guests)] = append(guests[i%len(guests)], members...)
	}
	took = Took{Kernel: found.Kernel(), Guests: len(guests)}
	pairs = make([]Pair, len(cells))
	errs := make([]error, len(guests))
	began := time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	turns := make(chan struct{}, len(cores))
	var running sync.WaitGroup
	var together sync.Mutex
	for i, members := range guests {
		running.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			var own []Cell
			for _, n := range members {
				own = append(own, cells[n])
			}
			outcomes, lasted, err := m.inGuest(ctx, found, files.Clone(), own)
			if err != nil {
				errs[i] = err
				cancel()
				return
			}
			together.Lock()
			defer together.Unlock()
			took.Virtual += lasted
			for k, n := range members {
				pairs[n] = outcomes[k]
			}
		})
	}
	running.Wait()
	took.Wall = time.Since(began)
	for _, err := range errs { // the others were ended by the first
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, took, err
		}
	}
	return pairs, took, errors.Join(errs...)
}

// inGuest plays some cells in one guest.
func (m Measurement) inGuest(ctx context.Context, on virtual.Machine, files *virtual.Files, cells []Cell) (pairs []Pair, lasted time.Duration, err error) {
	var content bytes.Buffer
	if err := gob.NewEncoder(&content).Encode(cells); err != nil {
		return nil, 0, fmt.Errorf("writing the cells: %w", err)
	}
	files.Write(cellsFile, content.Bytes(), 0o644)
	into, err := os.MkdirTemp("", "halfopen-settings-")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(into)) }()
	memory := m.Memory
	if memory == 0 {
		memory = int(2*files.Size()>>20) + 256 + 12*len(byFirewall(cells)) + len(cells)
	}
	var console bytes.Buffer
	one := virtual.Guest{
		Machine: on, Files: files, Memory: memory, Seed: m.Seed, Report: guestReport, Into: into, Console: &console,
		Commands: []guest.Command{{
			Arguments: []string{self, cellsFile, guestReport}, Environment: []string{reexec.Variable + "=" + string(measuring)}, Directory: "/",
		}},
	}
	result, err := one.Run(ctx)
	if err != nil {
		return nil, 0, err
	}
	var w written
	read, err := os.ReadFile(filepath.Join(into, outcomesFile))
	if err == nil {
		err = json.Unmarshal(read, &w)
	}
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("the measuring process ended with status %d and left no outcomes (it printed: %s)", result.Status(), bytes.TrimSpace(console.Bytes()))
	case w.Trouble != "":
		return nil, 0, errors.New(w.Trouble)
	case len(w.Pairs) != len(cells):
		return nil, 0, fmt.Errorf("the measuring process left %d outcomes for %d cells", len(w.Pairs), len(cells))
	}
	return w.Pairs, result.Virtual, nil
}

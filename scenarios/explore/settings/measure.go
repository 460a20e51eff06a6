package settings

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Pair is what has become of the two connections of a cell.
type Pair struct {
	Idle Outcome `json:"idle"`      // nobody had anything to say
	Off  Outcome `json:"power_off"` // the peer's host lost power
}

// measuring is the process that plays cells. Its arguments are the file with the cells and the
// directory of the report, where it writes outcomesFile.
const measuring reexec.Name = "settings"

const outcomesFile = "outcomes.json"

func init() { reexec.Register(measuring, measureProcess) }

// written is what the process writes.
type written struct {
	Pairs   []Pair
	Trouble string // what kept it from measuring; empty: nothing
}

func measureProcess(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("it was started with %d arguments: the file with the cells and the directory of the report are needed", len(arguments))
	}
	harness.Main(func() int {
		ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		var w written
		cells, err := readCells(arguments[0])
		if err == nil {
			w.Pairs, err = play(ctx, cells)
		}
		if err != nil {
			w.Trouble = err.Error()
		}
		content, err := json.Marshal(w)
		if err == nil {
			err = atomicfile.WriteFile(filepath.Join(arguments[1], outcomesFile), content, 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
			return 1
		}
		return 0
	})
	return nil
}

// readCells reads the cells that the guest is given. They are no JSON: that of a preset is for
// people, and leaves out what it cannot say.
func readCells(file string) (cells []Cell, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the cells: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := gob.NewDecoder(f).Decode(&cells); err != nil {
		return nil, fmt.Errorf("reading the cells: %w", err)
	}
	return cells, nil
}

// play plays all cells at the same time: those with the same firewall in one lab, and once more in
// another one whose peers lose power.
func play(ctx context.Context, cells []Cell) ([]Pair, error) {
	pairs := make([]Pair, len(cells))
	var group sync.WaitGroup
	for _, members := range byFirewall(cells) {
		for _, powerOff := range []bool{false, true} {
			l := &lab{firewall: cells[members[0]].Firewall, powerOff: powerOff}
			for _, i := range members {
				l.cells = append(l.cells, cells[i])
			}
			group.Go(func() {
				outcomes, err := l.play(ctx)
				for n, i := range members {
					o := &pairs[i].Idle
					if powerOff {
						o = &pairs[i].Off
					}
					if err != nil {
						*o = Outcome{Trouble: err.Error()}
						continue
					}
					*o = outcomes[n]
				}
			})
		}
	}
	group.Wait()
	return pairs, ctx.Err()
}

// byFirewall returns the numbers of the cells with the same firewall, for each in the order of
// the cells.
func byFirewall(cells []Cell) (groups [][]int) {
	for i, c := range cells {
		found := false
		for g := range groups {
			if reflect.DeepEqual(cells[groups[g][0]].Firewall, c.Firewall) {
				groups[g], found = append(groups[g], i), true
				break
			}
		}
		if !found {
			groups = append(groups, []int{i})
		}
	}
	return groups
}

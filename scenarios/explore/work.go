package explore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// The files of an exploration's directory.
const (
	PlanFile    = "plan.json"
	batchesName = "batches" // a directory with a file for each batch that was made
	JSONFile    = "explored.json"
	findingsDir = "findings" // a directory for each finding that was made smaller
)

// work is the directory in which an exploration keeps what it has made.
type work struct {
	directory string
	order
	digest string // of the plan
}

// order is the file of the plan: the plan, and what may differ between parts of one exploration.
type order struct {
	Plan    *Plan  `json:"plan"`
	Command string `json:"command"`         // explores the same subject: "halfopen explore -f halfopen.yaml"
	Batches int    `json:"batches"`         // how many of the plan are wanted: the first ones
	Shard   *Shard `json:"shard,omitempty"` // whose part this is; nil: of nobody
}

// IsExploration reports whether a directory has the plan of an exploration.
func IsExploration(directory string) bool {
	_, err := os.Stat(filepath.Join(directory, PlanFile))
	return err == nil
}

// readWork reads the plan in a directory.
func readWork(directory string) (*work, error) {
	file := filepath.Join(directory, PlanFile)
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, fmt.Errorf("%s is not the directory of an exploration: it has no %s", directory, PlanFile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the plan of an exploration: %w", err)
	}
	w := &work{directory: directory}
	if err := inputfile.Unmarshal(content, &w.order); err != nil {
		return nil, fmt.Errorf("reading the plan of an exploration, %s: %w", file, err)
	}
	switch p := w.Plan; {
	case p == nil || p.SchemaVersion != Schema:
		return nil, fmt.Errorf("%s is the plan of an exploration by another version of halfopen: explore again with this one", file)
	case len(p.Instants) == 0 || len(p.Ways) == 0 || len(p.Instants) > mostRuns || len(p.Ways) > mostRuns || p.Runs() > mostRuns || w.Batches < 0:
		return nil, fmt.Errorf("%s is damaged: it has %d instants and %d faults: explore again", file, len(p.Instants), len(p.Ways))
	}
	w.Batches = min(w.Batches, batches(w.Plan.Runs()))
	w.digest = w.Plan.digest()
	return w, nil
}

// openWork makes the directory that of an exploration, or goes on with the same one.
func openWork(directory string, o order) (*work, error) {
	w := &work{directory: directory, order: o, digest: o.Plan.digest()}
	if IsExploration(directory) {
		was, err := readWork(directory)
		if err != nil {
			return nil, err
		}
		if how := was.Plan.differs(o.Plan); how != "" {
			return nil, fmt.Errorf("%s has another exploration (%s): remove it, or choose another directory (--report)", directory, how)
		}
	}
	return w, w.writePlan()
}

func (w *work) writePlan() error {
	if err := os.MkdirAll(filepath.Join(w.directory, batchesName), 0o755); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return writeJSON(filepath.Join(w.directory, PlanFile), w.order)
}

// writeJSON writes a value as JSON that people can read.
func writeJSON(file string, value any) error {
	content, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(file, append(content, '\n'), 0o644)
}

// made is the file of a batch.
type made struct {
	Plan     string    `json:"plan"` // its digest
	Batch    int       `json:"batch"`
	Outcomes []Outcome `json:"outcomes"` // of its runs, in their order
}

func (w *work) batchFile(number int) string {
	return filepath.Join(w.directory, batchesName, fmt.Sprintf("%06d.json", number))
}

// keep writes the outcomes of a batch.
func (w *work) keep(number int, outcomes []Outcome) error {
	content, err := json.Marshal(made{w.digest, number, outcomes})
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(w.batchFile(number), append(content, '\n'), 0o644)
}

// outcomes returns those of a batch; nil: it was not made.
func (w *work) outcomes(number int) ([]Outcome, error) {
	file := w.batchFile(number)
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a batch: %w", err)
	}
	var m made
	if err := inputfile.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("reading a batch, %s: %w", file, err)
	}
	if m.Plan != w.digest || m.Batch != number || len(m.Outcomes) != len(w.Plan.batch(number)) {
		return nil, fmt.Errorf("%s is not batch %d of this exploration: remove the file, and it is made again", file, number)
	}
	return m.Outcomes, nil
}

// read returns the outcomes of all batches that were made and are wanted, by their numbers.
func (w *work) read() (map[int][]Outcome, error) {
	all := map[int][]Outcome{}
	for number := range w.Batches {
		outcomes, err := w.outcomes(number)
		if err != nil {
			return nil, err
		}
		if outcomes != nil {
			all[number] = outcomes
		}
	}
	return all, nil
}

// Shard is a part of the batches: every so many-th.
type Shard struct {
	Number int `json:"number"` // from 1 on
	Of     int `json:"of"`
}

// mostShards is more than there are machines.
const mostShards = 10000

// ParseShard reads a shard, as in "3/16".
func ParseShard(text string) (Shard, error) {
	before, after, _ := strings.Cut(text, "/")
	var s Shard
	for _, part := range []struct {
		text string
		into *int
	}{{before, &s.Number}, {after, &s.Of}} {
		for _, digit := range part.text {
			if digit < '0' || digit > '9' || *part.into > mostShards {
				*part.into = 0
				break
			}
			*part.into = 10**part.into + int(digit-'0')
		}
	}
	if s.Number < 1 || s.Of > mostShards || s.Number > s.Of {
		return Shard{}, fmt.Errorf("%q is not a shard: write it as 3/16, the third of sixteen (at most %d)", text, mostShards)
	}
	return s, nil
}

// String returns the shard as ParseShard reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// has reports whether a batch is in the shard.
func (s Shard) has(batch int) bool { return batch%s.Of == s.Number-1 }

package gotest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Took is what a run took, in seconds. A report of virtual time has it in shard.WallFile,
// the one file that is not the same, byte for byte, for the same seed. On the running
// kernel only Kernel and Wall are known.
type Took struct {
	Kernel    string    `json:"kernel"`
	Wall      float64   `json:"wall_seconds"`      // from the start of the first guest to the end of the last
	Processor float64   `json:"processor_seconds"` // of all guests
	Virtual   float64   `json:"virtual_seconds"`   // of all guests, one after another
	Balance   float64   `json:"largest_processor_seconds_against_mean"`
	Shards    []Figures `json:"shards"` // those that have tests
}

// Figures are what a shard took, in seconds and bytes.
type Figures struct {
	Shard     int     `json:"shard"`
	Tests     int     `json:"tests"` // test functions and Ginkgo specs
	Wall      float64 `json:"wall_seconds"`
	Processor float64 `json:"processor_seconds"`
	Virtual   float64 `json:"virtual_seconds"`
	Booted    float64 `json:"virtual_boot_seconds"`
	Memory    int64   `json:"memory_bytes"` // at most
}

func (f *Figures) add(r virtual.Result) {
	f.Wall, f.Processor, f.Memory = r.Wall.Seconds(), r.CPU.Seconds(), r.Memory
	f.Virtual, f.Booted = r.Virtual.Seconds(), r.Booted.Seconds()
}

// total sums shards up that took so long side by side.
func total(kernel string, wall float64, shards []Figures) Took {
	t := Took{Kernel: kernel, Wall: wall, Shards: shards}
	most := 0.0
	for _, s := range shards {
		t.Processor += s.Processor
		t.Virtual += s.Virtual
		most = max(most, s.Processor)
	}
	if t.Processor > 0 {
		t.Balance = most * float64(len(shards)) / t.Processor
	}
	return t
}

// Memory is what the largest guest took, in bytes.
func (t Took) Memory() (bytes int64) {
	for _, s := range t.Shards {
		bytes = max(bytes, s.Memory)
	}
	return bytes
}

// write writes the figures into a report.
func (t Took) write(directory string) error {
	content, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(directory, shard.WallFile), append(content, '\n'), 0o644)
}

// readTook reads the figures of a report.
func readTook(directory string) (t Took, err error) {
	name := filepath.Join(directory, shard.WallFile)
	content, err := os.ReadFile(name)
	if err == nil {
		err = inputfile.Unmarshal(content, &t)
	}
	if err != nil {
		return t, fmt.Errorf("reading what a shard took, %s: %w", name, err)
	}
	return t, nil
}

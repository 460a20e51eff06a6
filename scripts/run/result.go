package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Result is what a run in virtual time took, in seconds. A report has it in
// shard.WallFile, the one file that is not the same, byte for byte, for the same seed.
type Result struct {
	Kernel    string    `json:"kernel"`
	Wall      float64   `json:"wall_seconds"`      // from the start of the first guest to the end of the last
	Processor float64   `json:"processor_seconds"` // of all guests
	Virtual   float64   `json:"virtual_seconds"`   // of all guests, one after another
	Balance   float64   `json:"largest_processor_seconds_against_mean"`
	Shards    []Figures `json:"shards"` // those that have specs
}

// Figures are what a shard took, in seconds and bytes.
type Figures struct {
	Shard     int     `json:"shard"`
	Specs     int     `json:"specs"`
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
func total(kernel string, wall float64, shards []Figures) Result {
	r := Result{Kernel: kernel, Wall: wall, Shards: shards}
	most := 0.0
	for _, s := range shards {
		r.Processor += s.Processor
		r.Virtual += s.Virtual
		most = max(most, s.Processor)
	}
	if r.Processor > 0 {
		r.Balance = most * float64(len(shards)) / r.Processor
	}
	return r
}

// Memory is what the largest guest took, in bytes.
func (r Result) Memory() (bytes int64) {
	for _, s := range r.Shards {
		bytes = max(bytes, s.Memory)
	}
	return bytes
}

// elapsed is the time since then in seconds.
func elapsed(began time.Time) float64 { return time.Since(began).Seconds() }

// write writes the figures into a report.
func (r Result) write(directory string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, shard.WallFile), append(content, '\n'), 0o644)
}

// readResult reads the figures of a report.
func readResult(directory string) (r Result, err error) {
	name := filepath.Join(directory, shard.WallFile)
	content, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(content, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading what a shard took, %s: %w", name, err)
	}
	return r, nil
}

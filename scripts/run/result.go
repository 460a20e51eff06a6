package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Figures are what a shard took.
type Figures struct {
	Shard     int
	Specs     int
	Wall, CPU time.Duration
	Virtual   time.Duration
	Booted    time.Duration // virtual time
	Memory    int64         // bytes, at most
}

// Result is what a run in virtual time took.
type Result struct {
	Kernel  string
	Wall    time.Duration // from the start of the first guest to the end of the last
	CPU     time.Duration // of all guests
	Virtual time.Duration // of all guests, one after another
	Shards  []Figures     // of those that had specs
}

func (s *shardResult) took(r virtual.Result) {
	s.Wall, s.CPU, s.Virtual, s.Booted, s.Memory, s.Kernel = r.Wall, r.CPU, r.Virtual, r.Booted, r.Memory, r.Kernel
}

func sum(results []shardResult, wall time.Duration) Result {
	all := Result{Wall: wall}
	for _, r := range results {
		all.Kernel = r.Kernel
		all.CPU += r.CPU
		all.Virtual += r.Virtual
		if r.Specs > 0 {
			all.Shards = append(all.Shards, r.Figures)
		}
	}
	return all
}

// Balance is the processor time of the dearest shard against the mean.
func (r Result) Balance() float64 {
	var most, all time.Duration
	for _, s := range r.Shards {
		most, all = max(most, s.CPU), all+s.CPU
	}
	if all == 0 {
		return 0
	}
	return float64(most) * float64(len(r.Shards)) / float64(all)
}

// Memory is what the largest guest took.
func (r Result) Memory() (bytes int64) {
	for _, s := range r.Shards {
		bytes = max(bytes, s.Memory)
	}
	return bytes
}

// wallFile is the format of shard.WallFile, the one file of a report in virtual time that
// is not the same, byte for byte, for the same seed.
type wallFile struct {
	Kernel           string      `json:"kernel"`
	WallSeconds      float64     `json:"wall_seconds"`
	ProcessorSeconds float64     `json:"processor_seconds"`
	VirtualSeconds   float64     `json:"virtual_seconds"`
	Largest          float64     `json:"largest_shard_against_mean"` // processor time
	Shards           []wallShard `json:"shards"`
}

type wallShard struct {
	Shard            int     `json:"shard"`
	Specs            int     `json:"specs"`
	WallSeconds      float64 `json:"wall_seconds"`
	ProcessorSeconds float64 `json:"processor_seconds"`
	VirtualSeconds   float64 `json:"virtual_seconds"`
	BootSeconds      float64 `json:"virtual_boot_seconds"`
	MemoryBytes      int64   `json:"memory_bytes"`
}

// write writes the figures into a report.
func (r Result) write(directory string) error {
	w := wallFile{r.Kernel, r.Wall.Seconds(), r.CPU.Seconds(), r.Virtual.Seconds(), r.Balance(), []wallShard{}}
	for _, s := range r.Shards {
		w.Shards = append(w.Shards, wallShard{s.Shard, s.Specs, s.Wall.Seconds(), s.CPU.Seconds(), s.Virtual.Seconds(), s.Booted.Seconds(), s.Memory})
	}
	content, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, shard.WallFile), append(content, '\n'), 0o644)
}

// readResult reads the figures of a report.
func readResult(directory string) (Result, error) {
	var w wallFile
	content, err := os.ReadFile(filepath.Join(directory, shard.WallFile))
	if err != nil {
		return Result{}, err
	}
	if err := json.Unmarshal(content, &w); err != nil {
		return Result{}, fmt.Errorf("reading %s: %w", filepath.Join(directory, shard.WallFile), err)
	}
	r := Result{Kernel: w.Kernel, Wall: seconds(w.WallSeconds), CPU: seconds(w.ProcessorSeconds), Virtual: seconds(w.VirtualSeconds)}
	for _, s := range w.Shards {
		r.Shards = append(r.Shards, Figures{s.Shard, s.Specs, seconds(s.WallSeconds), seconds(s.ProcessorSeconds), seconds(s.VirtualSeconds), seconds(s.BootSeconds), s.MemoryBytes})
	}
	return r, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// joined is the figures of shards that ran side by side, each somewhere.
func joined(directories []string) (Result, error) {
	var all Result
	var missing error
	for _, directory := range directories {
		r, err := readResult(directory)
		missing = errors.Join(missing, err)
		if len(r.Shards) > 0 {
			all.Kernel = r.Kernel
		}
		all.Wall = max(all.Wall, r.Wall)
		all.CPU += r.CPU
		all.Virtual += r.Virtual
		all.Shards = append(all.Shards, r.Shards...)
	}
	return all, missing
}

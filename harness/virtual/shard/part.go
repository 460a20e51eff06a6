package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a report.
const (
	PartFile  = "part.json" // of a shard's only
	JSONFile  = "ginkgo.json"
	JUnitFile = "junit.xml"
	WallFile  = "wall.json"
	Failed    = "failed" // the directory with the evidence of failed specs
)

// version changes with the format of a part.
const version = 1

// Run is what the parts of one run have in common.
type Run struct {
	Seed     int64
	Focus    string `json:",omitempty"` // a regular expression; empty: all specs
	LeaveOut string `json:",omitempty"` // the step that every spec leaves out
	Kernel   string // of the guests
	Memory   int    // of a guest, in MiB
	Programs string // a digest of the files in the guests
	List     string // a digest of the list of specs
	Specs    int    // in the list
}

// Part says of the report beside it which part of which run it is.
type Part struct {
	Version   int
	Shard, Of int
	Places    []int // in the list, of the specs that the shard runs
	Run       Run
}

// ReadPart reads the part in a directory.
func ReadPart(directory string) (Part, error) {
	var p Part
	content, err := os.ReadFile(filepath.Join(directory, PartFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("%s is not the report of a shard: it has no %s", directory, PartFile)
	}
	if err != nil {
		return p, fmt.Errorf("reading the report of a shard: %w", err)
	}
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("reading the report of a shard, %s: %w", filepath.Join(directory, PartFile), err)
	}
	if p.Version != version || p.Of != Count {
		return p, fmt.Errorf("%s is the report of a shard by another version of this program", directory)
	}
	return p, nil
}

// write writes a part into a directory.
func (p Part) write(directory string) error {
	content, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, PartFile), append(content, '\n'), 0o644)
}

// differs says in what another run is not this one; empty: in nothing.
func (r Run) differs(other Run) string {
	for _, setting := range []struct {
		name       string
		this, that any
	}{
		{"seed", r.Seed, other.Seed}, {"focus", r.Focus, other.Focus}, {"step left out", r.LeaveOut, other.LeaveOut},
		{"kernel", r.Kernel, other.Kernel}, {"memory", r.Memory, other.Memory},
	} {
		if setting.this != setting.that {
			return fmt.Sprintf("%s: %#v and %#v", setting.name, setting.this, setting.that)
		}
	}
	switch {
	case r.List != other.List || r.Specs != other.Specs:
		return "list of specs"
	case r.Programs != other.Programs:
		return "programs in the guest"
	}
	return ""
}

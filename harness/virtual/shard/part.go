package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// The files of a report.
const (
	PartFile  = "part.json" // of a shard's only
	JSONFile  = "ginkgo.json"
	JUnitFile = "junit.xml"
	WallFile  = "wall.json"
)

// version changes with the format of a part.
const version = 2

// Run is what the parts of one run have in common.
type Run struct {
	Seed        int64
	Focus       string   `json:",omitempty"` // a regular expression for the texts of Ginkgo's specs; empty: all
	Flags       []string `json:",omitempty"` // those of go test that say which tests run, and how
	LeaveOut    string   `json:",omitempty"` // the step that every lab leaves out
	Environment []string `json:",omitempty"` // what the caller has added for the tests: NAME=VALUE
	Kernel      string   // of the guests
	Memory      int      // of a guest, in MiB
	Programs    string   // a digest of the files in the guests
	List        string   // a digest of the list of units
	Units       int      // in the list
}

// Part says of the report beside it which part of which run it is.
type Part struct {
	Version   int
	Shard, Of int
	Places    []int // in the list, of the units that the shard runs
	Suites    []Section
	Run       Run
}

// Section says of one of a part's reports, which stand in the order of the sections, which
// suite it is of, and of each of its tests to which unit in the list it belongs.
type Section struct {
	Suite
	Places []int
}

// ReadPart reads the part in a directory.
func ReadPart(directory string) (Part, error) {
	var p Part
	content, err := os.ReadFile(filepath.Join(directory, PartFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return p, fmt.Errorf("%s is not the report of a shard: it has no %s", directory, PartFile)
	}
	if err != nil {
		return p, fmt.Errorf("reading the report of a shard: %w", err)
	}
	if err := inputfile.Unmarshal(content, &p); err != nil {
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
	return atomicfile.WriteFile(filepath.Join(directory, PartFile), append(content, '\n'), 0o644)
}

// differs names what another run has that this one has not; empty: they are one run.
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
	case !slices.Equal(r.Flags, other.Flags):
		return fmt.Sprintf("flags: %q and %q", r.Flags, other.Flags)
	case !slices.Equal(r.Environment, other.Environment):
		return fmt.Sprintf("environment: %q and %q", r.Environment, other.Environment)
	case r.List != other.List || r.Units != other.Units:
		return "list of tests"
	case r.Programs != other.Programs:
		return "programs in the guest"
	}
	return ""
}

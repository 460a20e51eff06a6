package shard

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// A Report is the report of a shard: its part and the directory that holds it.
type Report struct {
	Part
	Directory string
}

// Open reads the parts in some directories, in any order, and returns them in the order
// of the shards. Parts of different runs, and two of one shard, are an error.
func Open(directories ...string) ([]Report, error) {
	var reports []Report
	for _, directory := range directories {
		part, err := ReadPart(directory)
		if err != nil {
			return nil, err
		}
		reports = append(reports, Report{part, directory})
	}
	slices.SortFunc(reports, func(a, b Report) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Directory, b.Directory))
	})
	for i, r := range reports[:max(0, len(reports)-1)] {
		next := reports[i+1]
		if r.Shard == next.Shard {
			return nil, fmt.Errorf("%s and %s are both shard %d", r.Directory, next.Directory, r.Shard)
		}
		if difference := r.Run.differs(next.Run); difference != "" {
			return nil, fmt.Errorf("%s and %s are of two runs, which differ in their %s", r.Directory, next.Directory, difference)
		}
	}
	return reports, nil
}

// Complete returns an error that names the shards that are missing.
func Complete(reports []Report) error {
	if len(reports) == 0 {
		return errors.New("there is no report of a shard to join")
	}
	covered := map[int]int{} // the shard of each place
	absent := map[int]bool{}
	for n := 1; n <= Count; n++ {
		absent[n] = true
	}
	for _, r := range reports {
		delete(absent, r.Shard)
		for _, place := range r.Places {
			if other, twice := covered[place]; twice || place < 0 || place >= r.Run.Specs {
				return fmt.Errorf("%s cannot be joined: the specs of shard %d are those of another version of this program, or of shard %d", r.Directory, r.Shard, other)
			}
			covered[place] = r.Shard
		}
	}
	if len(covered) == reports[0].Run.Specs {
		return nil
	}
	var missing []string
	for n := 1; n <= Count; n++ {
		if absent[n] {
			missing = append(missing, fmt.Sprintf("%d/%d", n, Count))
		}
	}
	return fmt.Errorf("%d of %d specs are missing: there is no report of shard %s", reports[0].Run.Specs-len(covered), reports[0].Run.Specs, strings.Join(missing, " "))
}

// Join makes one report of those of the shards, in a directory, as if one guest had run
// all specs. Reasons say what is missing, if anything is: the report then says that the
// suites have failed.
func Join(into string, reports []Report, reasons ...string) (types.Report, error) {
	var all types.Report
	specs := map[int]types.SpecReport{}
	var around types.SpecReports
	for _, r := range reports {
		if len(r.Places) == 0 {
			continue
		}
		read, err := Read(r.Directory)
		if err != nil {
			return all, err
		}
		one := read[0]
		if len(one.SpecReports) < len(r.Places) {
			return all, fmt.Errorf("%s has the reports of %d specs, and not of %d", r.Directory, len(one.SpecReports), len(r.Places))
		}
		for i, place := range r.Places {
			specs[place] = one.SpecReports[i]
		}
		around = append(around, one.SpecReports[len(r.Places):]...)
		add(&all, one)
		if err := copyEvidence(into, r.Directory); err != nil {
			return all, err
		}
	}
	if len(specs) == 0 {
		return all, errors.New(strings.Join(reasons, "\n"))
	}
	for place := range reports[0].Run.Specs {
		if spec, there := specs[place]; there {
			all.SpecReports = append(all.SpecReports, spec)
		}
	}
	all.SpecReports = append(all.SpecReports, around...)
	if len(reasons) > 0 {
		all.SuiteSucceeded = false
		all.SpecialSuiteFailureReasons = append(all.SpecialSuiteFailureReasons, reasons...)
	}
	return all, write(into, all)
}

// copyEvidence copies the evidence of failed specs.
func copyEvidence(into, from string) error {
	evidence := filepath.Join(from, Failed)
	if _, err := os.Stat(evidence); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.CopyFS(filepath.Join(into, Failed), os.DirFS(evidence)); err != nil {
		return fmt.Errorf("copying the evidence of failed specs: %w", err)
	}
	return nil
}

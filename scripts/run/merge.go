package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Merge joins the reports of shards that ran anywhere into one, in the directory Report:
// the same bytes as of one run of all, but for shard.WallFile. It takes the other settings
// of the run from the parts.
func (s *Suites) Merge(directories []string) ([]types.Report, Result, error) {
	parts, err := shard.Open(directories...)
	if err == nil {
		err = shard.Complete(parts)
	}
	if err != nil {
		return nil, Result{}, err
	}
	run := parts[0].Run
	s.Seed, s.Focus, s.LeaveOut = run.Seed, run.Focus, run.LeaveOut
	if err := outside(s.Report, directories); err != nil {
		return nil, Result{}, err
	}
	if err := harness.EmptyReport(s.Report); err != nil {
		return nil, Result{}, fmt.Errorf("%w (REPORT)", err)
	}
	report, err := shard.Join(s.Report, parts)
	if err != nil {
		return nil, Result{}, err
	}
	var figures []Figures
	var longest float64
	for _, part := range parts {
		result, err := readResult(part.Directory)
		if err != nil {
			return nil, Result{}, err
		}
		figures, longest = append(figures, result.Shards...), max(longest, result.Wall)
	}
	result := total(run.Kernel, longest, figures)
	return []types.Report{report}, result, result.write(s.Report)
}

// outside returns an error if one of the parts is where the joined report goes, which
// replaces whatever is there.
func outside(report string, directories []string) error {
	into, err := canonical(report)
	if err != nil {
		return err
	}
	for _, directory := range directories {
		from, err := canonical(directory)
		if err != nil {
			return err
		}
		if relative, err := filepath.Rel(into, from); err == nil && relative != ".." && !strings.HasPrefix(relative, "../") {
			return fmt.Errorf("the report of a shard, %s, is where the joined one goes: choose another place for that (REPORT)", directory)
		}
	}
	return nil
}

// canonical is an absolute path without links, as far as it is there.
func canonical(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path, nil // it is not there yet
	}
	return real, nil
}

// join joins the parts of a run, of which some may be missing.
func join(into string, directories, missing []string) (types.Report, error) {
	parts, err := shard.Open(directories...)
	if err != nil {
		return types.Report{}, err
	}
	if len(parts) == 0 {
		return types.Report{}, errors.New(strings.Join(missing, "\n"))
	}
	return shard.Join(into, parts, missing...)
}

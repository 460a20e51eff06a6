package gotest

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Merge joins the reports of shards that ran anywhere into one, in a directory: the same
// bytes as of one run of all, but for shard.WallFile. The directory is emptied first. The
// run's settings come with the report.
func Merge(into string, directories []string) (_ *Report, _ shard.Run, err error) {
	parts, err := shard.Open(directories...)
	if err == nil {
		err = shard.Complete(parts)
	}
	if err != nil {
		return nil, shard.Run{}, err
	}
	run := parts[0].Run
	if err := outside(into, directories); err != nil {
		return nil, run, err
	}
	held, err := report.Open(into)
	if err != nil {
		return nil, run, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := held.Empty(); err != nil {
		return nil, run, err
	}
	suites, err := shard.Join(into, parts)
	if err != nil {
		return nil, run, err
	}
	var shards []Figures
	var longest float64
	for _, part := range parts {
		took, err := readTook(part.Directory)
		if err != nil {
			return nil, run, err
		}
		shards, longest = append(shards, took.Shards...), max(longest, took.Wall)
	}
	took := total(run.Kernel, longest, shards)
	return &Report{Suites: suites, Took: took, virtual: true, directory: into}, run, took.write(into)
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
			return fmt.Errorf("the report of a shard, %s, is where the joined one goes: choose another place for that", directory)
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

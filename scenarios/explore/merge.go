package explore

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Merge joins the parts of one exploration, in whatever order, into the directory into: what any
// of them has made is made. The same part twice does no harm. The findings are as they were first
// seen: Instants makes them smaller, and makes what is missing, in that directory.
func Merge(into string, parts []string) (_ *Explored, missing string, err error) {
	if len(parts) == 0 {
		return nil, "", errors.New("name the directories of the parts")
	}
	var all []*work
	for _, directory := range parts {
		part, err := readWork(directory)
		if err != nil {
			return nil, "", err
		}
		if len(all) > 0 {
			if how := all[0].Plan.differs(part.Plan); how != "" {
				return nil, "", fmt.Errorf("%s and %s are parts of two explorations (%s)", all[0].directory, directory, how)
			}
		}
		all = append(all, part)
	}
	o := order{Plan: all[0].Plan, Command: all[0].Command}
	made := map[int][]Outcome{}
	for _, part := range all {
		o.Batches = max(o.Batches, part.Batches)
		o.Command = min(o.Command, part.Command)
		has, err := part.read()
		if err != nil {
			return nil, "", err
		}
		maps.Copy(made, has)
	}
	held, err := hold(into)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	held.Keep()
	w, err := openWork(held.Path(), o)
	if err != nil {
		return nil, "", err
	}
	before, err := w.read()
	if err != nil {
		return nil, "", err
	}
	for number, outcomes := range made {
		if before[number] == nil {
			if err := w.keep(number, outcomes); err != nil {
				return nil, "", err
			}
		}
	}
	maps.Copy(made, before)
	e := w.sum(made)
	return e, w.missing(made, all), e.write(w.directory)
}

// missing says what was not made, and of which shards it is, if the parts are shards of one
// cut; empty: nothing.
func (w *work) missing(made map[int][]Outcome, parts []*work) string {
	var missing []int
	for number := range w.Batches {
		if made[number] == nil {
			missing = append(missing, number)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	text := fmt.Sprintf("%d of %d batches are missing", len(missing), w.Batches)
	of := 0
	for _, p := range parts {
		if p.Shard == nil || of != 0 && p.Shard.Of != of {
			return text
		}
		of = p.Shard.Of
	}
	var shards []string
	for number := range of {
		s := Shard{number + 1, of}
		if slices.ContainsFunc(missing, s.has) {
			shards = append(shards, s.String())
		}
	}
	const most = 20
	if len(shards) > most {
		shards = append(shards[:most], fmt.Sprintf("and %d more", len(shards)-most))
	}
	return fmt.Sprintf("%s: run the shards %s again, and merge", text, strings.Join(shards, ", "))
}

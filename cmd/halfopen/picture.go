package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// readLadder returns the ladder of the trial whose packets are in a file of a report.
func readLadder(report, capture, name string) (*ladder.Ladder, error) {
	file := filepath.Join(report, answer.LadderOf(capture))
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the report in %s has no ladder of %q: measure it again", report, name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ladder: %w", err)
	}
	l, err := ladder.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

// pictureOf returns the ladder of a row of an answer as SVG.
func pictureOf(found *answer.Answer, report, name string) (string, error) {
	captures := map[string]string{}
	var names []string
	add := func(name, capture string) {
		if capture != "" {
			captures[name] = capture
			names = append(names, name)
		}
	}
	for _, f := range found.Faults {
		add(f.Title(), f.Capture)
	}
	for _, p := range found.Presets {
		add(p.Name, p.Capture)
	}
	if _, ok := captures[name]; !ok {
		slices.Sort(names)
		quoted := []string{}
		for _, n := range names {
			quoted = append(quoted, strconv.Quote(n))
		}
		return "", fmt.Errorf("the report in %s has measured no %q: it has\n  %s", report, name, strings.Join(quoted, "\n  "))
	}
	l, err := readLadder(report, captures[name], name)
	if err != nil {
		return "", err
	}
	return l.SVG(), nil
}

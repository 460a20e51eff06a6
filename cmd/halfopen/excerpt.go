package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// How many lines of a timeline are shown: from its beginning, from each step and each flow that
// a firewall forgets, and to its end.
const (
	firstLines    = 20
	followedLines = 20
	lastLines     = 30
)

// excerpt returns the lines of a timeline that tell the story of a fault: how it begins, what
// was done and what followed at once, and how it ends. Others are counted; file has them.
func excerpt(lines []string, file string) []string {
	shown := make([]bool, len(lines))
	show := func(from, count int) {
		for i := max(0, from); i < min(from+count, len(lines)); i++ {
			shown[i] = true
		}
	}
	show(0, firstLines)
	show(len(lines)-lastLines, lastLines)
	for i, line := range lines {
		if startsSomething(line) {
			show(i, followedLines)
		}
	}
	var kept []string
	for i := 0; i < len(lines); {
		if shown[i] {
			kept = append(kept, lines[i])
			i++
			continue
		}
		left := slices.Index(shown[i:], true) // the last line is shown
		if left == 1 {
			kept = append(kept, lines[i])
		} else {
			kept = append(kept, fmt.Sprintf("  … %d lines more, in %s", left, file))
		}
		i += left
	}
	return kept
}

// startsSomething reports whether a line of a timeline is a step, or a firewall's forgetting of a
// flow. The columns are the time and its unit, the host, the kind, and what happened.
func startsSomething(line string) bool {
	columns := strings.Fields(line)
	if len(columns) < 5 {
		return false
	}
	kind, what := timeline.Kind(columns[3]), columns[4]
	return kind == timeline.Step || kind == timeline.Conntrack && what == "destroy"
}

package main

import (
	"slices"
	"strings"
)

// nearest are the at most n names that are most like a word that is none of them: first
// those that contain it, then those that take the fewest changes of a letter.
func nearest(word string, names []string, n int) []string {
	names = slices.Clone(names)
	distance := func(name string) int {
		d := levenshtein(word, name)
		if word != "" && strings.Contains(name, word) {
			d -= len(name) + len(word) // before all that do not
		}
		return d
	}
	slices.SortStableFunc(names, func(a, b string) int { return distance(a) - distance(b) })
	return names[:min(n, len(names))]
}

// levenshtein is how many letters must be put in, left out or exchanged to make one word
// of the other.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1) // the distances of a's beginning to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			exchanged := diagonal
			if a[i] != b[j] {
				exchanged++
			}
			diagonal = row[j+1]
			row[j+1] = min(exchanged, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

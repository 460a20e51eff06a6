// Package nearest finds the names that a mistyped name may have been meant to be. What the
// names stand for is its callers' business.
package nearest

import (
	"slices"
	"strconv"
	"strings"
)

// To returns the at most n names that are most like a word that is none of them: first those
// that contain it, then those that take the fewest changes of a letter. Names that are equally
// like it keep their order.
func To(word string, names []string, n int) []string {
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

// Quoted returns the at most n names that are most like a word, as To does, each in quotes and
// separated by commas. Use it for names with spaces in them.
func Quoted(word string, names []string, n int) string {
	var quoted []string
	for _, name := range To(word, names, n) {
		quoted = append(quoted, strconv.Quote(name))
	}
	return strings.Join(quoted, ", ")
}

// List returns the three nearest names as a part of a sentence: "the nearest are a, b, c". It is
// empty if there are no names.
func List(word string, names []string) string {
	switch found := To(word, names, 3); len(found) {
	case 0:
		return ""
	case 1:
		return "the nearest is " + found[0]
	default:
		return "the nearest are " + strings.Join(found, ", ")
	}
}

// levenshtein returns how many letters must be inserted, deleted or replaced to turn one word
// into the other.
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

package seeds

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Schema is the version of the JSON of a Result. It changes when an old reader would misread a new
// result, or the other way round.
const Schema = 1

// Result is what other seeds have shown of a trial.
type Result struct {
	Trial  string // "quiet connection", or a fault's title
	Groups []Group
}

// width is the most columns of a line of Text.
const width = 100

// Text returns the result for a terminal.
func (r *Result) Text() string {
	var b strings.Builder
	total := 0
	for _, g := range r.Groups {
		total += len(g.Seeds)
	}
	one := "all alike"
	if n := len(r.Groups); n > 1 {
		one = fmt.Sprintf("%d groups of equal runs", n)
	}
	fmt.Fprintf(&b, "%s, with %d seeds: %s\n", r.Trial, total, one)
	for i, g := range r.Groups {
		fmt.Fprintf(&b, "\ngroup %d: %d of %d, seeds %s\n", i+1, len(g.Seeds), total, list(g.Seeds))
		wrapped(&b, "  ", g.Outcome)
		if g.Differs != nil {
			g.Differs.print(&b, g.Seeds[0], r.Groups[0].Seeds[0])
		}
	}
	fmt.Fprintf(&b, "\n%s\n", Counts)
	return b.String()
}

func (d *Difference) print(b *strings.Builder, seed, other uint64) {
	if d.Where == "outcome" {
		wrapped(b, "  ", "the outcome alone differs: "+d.What)
		return
	}
	wrapped(b, "  ", fmt.Sprintf("differs from seed %d at %.6f s, %s: %s", other, d.At.Seconds(), d.Where, d.What))
	section := func(title string, lines []string) {
		fmt.Fprintf(b, "  %s\n", title)
		if len(lines) == 0 {
			b.WriteString("    nothing more\n")
		}
		for _, line := range lines {
			b.WriteString("  " + cut(line, width-2) + "\n")
		}
	}
	if len(d.Common) > 0 {
		section("before:", d.Common)
	}
	section(fmt.Sprintf("seed %d:", seed), d.Here)
	section(fmt.Sprintf("seed %d:", other), d.Other)
}

// cut shortens a line.
func cut(line string, most int) string {
	if letters := []rune(line); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return line
}

// wrapped writes a text in lines of at most width columns, indented.
func wrapped(b *strings.Builder, indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && strings.TrimSpace(line) != "" {
			b.WriteString(line + "\n")
			line = indent + "  "
		}
		if strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}

// JSON returns the result as JSON.
func (r *Result) JSON() ([]byte, error) {
	type difference struct {
		At     float64  `json:"at_seconds"`
		Where  string   `json:"where"`
		What   string   `json:"what"`
		Before []string `json:"before,omitempty"`
		Here   []string `json:"timeline"`
		Other  []string `json:"timeline_of_first_group"`
	}
	type group struct {
		Seeds   []uint64    `json:"seeds"`
		Outcome string      `json:"outcome"`
		Differs *difference `json:"differs,omitempty"` // from the first group
	}
	file := struct {
		Version int     `json:"schema_version"`
		Trial   string  `json:"trial"`
		Counts  string  `json:"what_counts"`
		Groups  []group `json:"groups"`
	}{Schema, r.Trial, strings.ReplaceAll(Counts, "\n", " "), nil}
	for _, g := range r.Groups {
		next := group{Seeds: g.Seeds, Outcome: g.Outcome}
		if d := g.Differs; d != nil {
			next.Differs = &difference{d.At.Seconds(), d.Where, d.What, d.Common, d.Here, d.Other}
		}
		file.Groups = append(file.Groups, next)
	}
	content, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the comparison of the seeds as JSON: %w", err)
	}
	return append(content, '\n'), nil
}

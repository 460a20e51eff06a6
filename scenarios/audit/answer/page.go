package answer

import (
	"fmt"
	"slices"
	"strings"
)

// maxLines is how many lines a page has at most: it is to be pasted into a ticket.
const maxLines = 60

// Text returns the answer as a page for a terminal, at most 120 columns wide and 60 lines long.
// Where that is not enough, lists of middleboxes become numbers, and then the best rows are left
// out: the Markdown has all.
func (a *Answer) Text() string {
	for short := inFull; ; short++ {
		text := a.text(short)
		left := maxLines - strings.Count(text, "\n")
		switch {
		case left >= 0:
			return text
		case short == fewestRows:
			return cut(text)
		}
	}
}

// brevity is how much a page leaves out.
type brevity int

// The brevities, each of which leaves out what those before it do.
const (
	inFull     brevity = iota
	countKept          // middleboxes that forget no session are counted
	countAlone         // as are those of the program alone
	countAll           // as are all
	worstRows          // at most maxRows rows of faults
	fewestRows         // at most fewRows
)

// counted returns the outcomes whose middleboxes are counted instead of named.
func (b brevity) counted() []string {
	switch {
	case b >= countAll:
		return []string{Survives, Dies, EndsFirst, Undecided}
	case b >= countKept:
		return []string{Survives, EndsFirst}
	}
	return nil
}

// countedAlone returns the same of what would become of a session by the program's packets alone.
func (b brevity) countedAlone() []string {
	if b >= countAlone {
		return []string{Survives, Dies, EndsFirst, Undecided}
	}
	return nil
}

// How many lines the rows of the faults have at most.
const (
	maxRows = 20
	fewRows = 12
)

// shortened returns the lines of the rows that a page of this brevity has.
func (b brevity) shortened(rows string) string {
	most := 0
	switch b {
	case worstRows:
		most = maxRows
	case fewestRows:
		most = fewRows
	}
	lines := slices.Collect(strings.Lines(rows))
	if most == 0 || len(lines) <= most {
		return rows
	}
	return strings.Join(lines[:most-1], "") + fmt.Sprintf("  … %d lines more, in %s\n", len(lines)-most+1, MarkdownFile)
}

// cut returns the first lines of a page.
func cut(text string) string {
	lines := slices.Collect(strings.Lines(text))
	return strings.Join(lines[:maxLines-1], "") + fmt.Sprintf("… %d lines more, in %s\n", len(lines)-maxLines+1, MarkdownFile)
}

// sessions returns what becomes of a session behind each middlebox, in lines.
func (a *Answer) sessions(short brevity) string {
	var b strings.Builder
	group := func(counted []string, title, of func(Preset) string) {
		for _, outcome := range []string{Survives, Dies, EndsFirst, Undecided} {
			var names []string
			for _, p := range a.Presets {
				if of(p) == outcome {
					names = append(names, title(p))
				}
			}
			if len(names) > 0 && slices.Contains(counted, outcome) {
				names = []string{fmt.Sprintf("%d of %d (%s names them)", len(names), len(a.Presets), MarkdownFile)}
			}
			if len(names) > 0 {
				b.WriteString(wrapped(fmt.Sprintf("  %-12s", outcome), names))
			}
		}
	}
	if a.NoSession != "" {
		fmt.Fprintf(&b, "  no conclusion: %s\n", a.NoSession)
	}
	group(short.counted(), Preset.title, func(p Preset) string {
		if a.NoSession != "" && p.How == Derived {
			return ""
		}
		return p.Outcome
	})
	if slices.ContainsFunc(a.Presets, func(p Preset) bool { return p.Alone != "" }) {
		b.WriteString("  if the peer sent nothing by itself:\n")
		group(short.countedAlone(), func(p Preset) string { return p.Name }, func(p Preset) string { return p.Alone }) // always derived
	}
	return b.String()
}

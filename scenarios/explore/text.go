package explore

import (
	"fmt"
	"strings"
)

// columns is how wide the page is at most.
const columns = 100

// mostTold is how many findings the page tells. The rest is counted: JSONFile has all.
const mostTold = mostShrunk

// Text returns what was found as a page for a terminal, the worst first.
func (e *Explored) Text() string {
	var b strings.Builder
	line := func(indent int, format string, a ...any) { wrap(&b, indent, fmt.Sprintf(format, a...)) }
	line(0, "%s", e.Quiet.Of)
	line(0, "The quiet run: %s in %s. Faults struck at %s, in %s.", count(len(e.Quiet.Events), "event", "events"), inWords(e.Quiet.Lasted),
		count(len(e.Instants), "instant", "instants"), count(len(e.Rows), "way", "ways"))
	if !e.Complete() {
		line(0, "%d of %d runs were made: the same command goes on.", e.Made, e.Wanted)
	}
	for _, t := range e.Troubles {
		line(0, "Unknown, %s: %s", runs(t.Runs), t.Why)
	}
	b.WriteByte('\n')
	if len(e.Findings) == 0 {
		line(0, "Nothing found: all invariants held in %s.", runs(e.Made-e.Troubled()))
		return b.String()
	}
	line(0, "%d of %s broke an invariant, in %s:", e.Broken, runs(e.Made), count(len(e.Findings), "way", "ways"))
	for i, f := range e.Findings {
		if i == mostTold {
			line(0, "And %d more: see %s, or mend these and explore again.", len(e.Findings)-i, JSONFile)
			break
		}
		b.WriteByte('\n')
		line(0, "%d. %s: %s", i+1, f.Invariant, f.Says)
		line(3, "%s, %s in all", f.Smallest.Words(), runs(f.Runs))
		line(3, "%s", f.around())
		// A command is not wrapped: it is to be copied.
		fmt.Fprintf(&b, "   %s %s\n", e.Command, f.Smallest.Flags())
		switch {
		case f.Alone:
			line(3, "its story: %s", f.Kept)
		case f.Trouble != "":
			line(3, "alone in a guest of its own it could not be made: %s", f.Trouble)
		case f.Kept != "":
			line(3, "alone in a guest of its own it holds: what came before it in its batch matters")
		}
	}
	b.WriteString("\nThe map: a column for each instant, X broken, . held, ? unknown\n")
	for _, r := range e.Rows {
		line(0, "%s", r.Words())
		for cells := range chunks(strings.TrimRight(r.Cells, string(NotWanted)), columns-2) {
			fmt.Fprintf(&b, "  %s\n", cells)
		}
	}
	return b.String()
}

// around says between which events the smallest run's fault strikes.
func (f *Finding) around() string {
	switch {
	case f.After == "":
		return fmt.Sprintf("before %q", f.Then)
	case f.Then == "":
		return fmt.Sprintf("after %q, the last event", f.After)
	}
	return fmt.Sprintf("after %q, before %q", f.After, f.Then)
}

func runs(n int) string { return count(n, "run", "runs") }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// chunks yields the pieces of a text that have a length, and the rest.
func chunks(text string, length int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for len(text) > length {
			if !yield(text[:length]) {
				return
			}
			text = text[length:]
		}
		if text != "" {
			yield(text)
		}
	}
}

// wrap writes a text in lines that fit the page.
func wrap(to *strings.Builder, indent int, text string) {
	line := strings.Repeat(" ", indent)
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > columns {
			to.WriteString(line + "\n")
			line, empty = strings.Repeat(" ", indent+2), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	to.WriteString(line + "\n")
}

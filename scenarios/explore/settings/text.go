package settings

import (
	"fmt"
	"strings"
)

// Width is the most columns of a line of Text.
const Width = 100

// Text returns the map for a terminal: a table of the idle connections, one of those whose peer
// loses power, the cells that differ from the oracle, and what the cells mean.
func (m *Map) Text() string {
	var b strings.Builder
	whose := "the harness's own connections"
	if m.Program != "" {
		whose = m.Program
	}
	fmt.Fprintf(&b, "%s, on %s\n", whose, m.Kernel)
	var fixed []string
	for _, f := range m.Fixed {
		fixed = append(fixed, fmt.Sprintf("%s %v", f.Name, f.Value))
	}
	if len(fixed) > 0 {
		fmt.Fprintf(&b, "%s\n", strings.Join(fixed, ", "))
	}
	b.WriteString("\nAn idle connection: lives, or is over and noticed after …, or is dead and never noticed\n")
	m.table(&b, func(s Spot) Said { return s.Idle }, m.Frontier)
	b.WriteString("\nThe peer's host loses power: noticed after …\n")
	m.table(&b, func(s Spot) Said { return s.Off }, nil)
	b.WriteString("\n" + m.verdict())
	if m.ByItself != "" {
		b.WriteString(m.ByItself + "\n")
	}
	return b.String()
}

// table prints one question's cells. Too many columns become several tables.
func (m *Map) table(b *strings.Builder, of func(Spot) Said, frontier []Frontier) {
	corner := string(m.Rows.Name) + `\` + string(m.Columns.Name)
	name := len(corner)
	for _, v := range m.Rows.Values {
		name = max(name, len(v.close()))
	}
	width := func(column int) int {
		widest := len(m.Columns.Values[column].close())
		for row := range m.Rows.Values {
			widest = max(widest, len(text(of(m.at(row, column)))))
		}
		return widest + 1
	}
	const heading = "  to (oracle)"
	room, last := Width-name, len(heading)
	beside := frontier != nil && m.Rows.Name == Firewall // a line for each row
	if beside {
		for _, f := range frontier {
			last = max(last, len(f.String())+2)
		}
		room -= last
	}
	for from := 0; from < len(m.Columns.Values); {
		to, used := from, 0
		for to < len(m.Columns.Values) && (to == from || used+width(to) <= room) {
			used += width(to)
			to++
		}
		whole := to == len(m.Columns.Values)
		line := func(head string, cell func(column int) string, end string) {
			fmt.Fprintf(b, "%-*s", name, head)
			for column := from; column < to; column++ {
				fmt.Fprintf(b, "%*s", width(column), cell(column))
			}
			b.WriteString(end + "\n")
		}
		head := ""
		if beside && whole {
			head = heading
		}
		line(corner, func(column int) string { return m.Columns.Values[column].close() }, head)
		for row, v := range m.Rows.Values {
			end := ""
			if head != "" {
				end = "  " + frontier[row].String()
			}
			line(v.close(), func(column int) string { return text(of(m.at(row, column))) }, end)
		}
		if from = to; !whole {
			b.WriteString("\n")
		}
	}
	if frontier != nil && !beside {
		b.WriteString("\nLives up to (oracle):\n")
		for _, f := range frontier {
			fmt.Fprintf(b, "  %-*s %v\n", name, f.Firewall.close(), f)
		}
	}
}

// close returns the value without the space before its unit.
func (v Value) close() string { return strings.ReplaceAll(v.text, " ", "") }

// String returns the frontier of one firewall: "300s (300s)". "300s+" is of the oracle that allows
// more, but is not sure of it.
func (f Frontier) String() string {
	word := func(s string) string {
		if s == "" {
			return "none"
		}
		return strings.ReplaceAll(s, " ", "")
	}
	said := word(f.Oracle)
	if f.Perhaps != "" {
		said += "+"
	}
	return fmt.Sprintf("%s (%s)", word(f.Measured), said)
}

// text returns a cell: what was measured, with a mark where the oracle says otherwise, or allows
// two fates.
func text(s Said) string {
	switch {
	case !s.Agrees:
		return s.Measured.short() + "!"
	case !s.Oracle.Certain():
		return s.Measured.short() + "~"
	}
	return s.Measured.short()
}

// verdict returns how the map compares with the oracle.
func (m *Map) verdict() string {
	differences := m.Differences()
	open := 0
	for _, s := range m.Cells {
		for _, said := range []Said{s.Idle, s.Off} {
			if said.Agrees && !said.Oracle.Certain() {
				open++
			}
		}
	}
	var b strings.Builder
	count := 2 * len(m.Cells)
	if len(differences) == 0 {
		fmt.Fprintf(&b, "All %d outcomes are as the oracle says.\n", count)
	} else {
		fmt.Fprintf(&b, "%d of %d outcomes differ from the oracle (!):\n", len(differences), count)
		for _, line := range differences[:min(len(differences), 20)] {
			for i, part := range wrap(line, Width-4) {
				b.WriteString([]string{"  ", "    "}[min(i, 1)] + part + "\n")
			}
		}
		if more := len(differences) - 20; more > 0 {
			fmt.Fprintf(&b, "  and %d more (--json has all)\n", more)
		}
	}
	if open > 0 {
		fmt.Fprintf(&b, "In %d cells (~) the oracle allows two fates: the kernel's timers are up to an eighth late, and\nthe firewall forgets meanwhile.\n", open)
	}
	return b.String()
}

// wrap breaks a text into lines of at most so many bytes, where words allow it.
func wrap(text string, width int) (lines []string) {
	for word := range strings.FieldsSeq(text) {
		if last := len(lines) - 1; last >= 0 && len(lines[last])+1+len(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

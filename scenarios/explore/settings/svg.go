package settings

import (
	"fmt"
	"html"
	"strings"
	"time"
)

// The sizes of the picture, in pixels.
const (
	cellHeight = 34 // two lines: what was measured, and what the oracle says
	cellWidth  = 116
	nameWidth  = 200
	headHeight = 22
)

// style has one hue that darkens the later an end is noticed, a pattern for what is never
// noticed, and Okabe and Ito's green for what lives. No two of them are told apart by hue alone.
const style = `
text{font:12px system-ui,sans-serif;fill:#1a1a1a}.head{font-weight:700}.said{font-size:10px;fill:#595959}.paper{fill:#fff}rect{stroke:#d0d0d0}
.lives{fill:#d3efe4}.n0{fill:#eef5fa}.n1{fill:#e0eef6}.n2{fill:#c9e1ef}.n3{fill:#b3d5e9}.n4{fill:#99c6e0}.n5{fill:#80b8d8}.never{fill:url(#never)}.unknown{fill:#fff}
.measured{fill:none;stroke:#00795a;stroke-width:4}.oracle{fill:none;stroke:#1a1a1a;stroke-width:2;stroke-dasharray:5 4}.wrong{fill:none;stroke:#b84700;stroke-width:4}
@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.said{fill:#b4b4b4}.paper,.unknown{fill:#16181b}rect{stroke:#44474c}
.lives{fill:#123d31}.n0{fill:#1a2026}.n1{fill:#1e2b36}.n2{fill:#233847}.n3{fill:#284658}.n4{fill:#2d556c}.n5{fill:#336680}
.measured{stroke:#35c99b}.oracle{stroke:#e6e6e6}.wrong{stroke:#ff8a4c}}
`

// SVG draws the map as a picture of its own: two heat maps, one of idle connections and one of those
// whose peer loses power. Each cell has what was measured and, below, what the oracle says. Lines
// stand where an idle connection ceases to survive: measured, and by the oracle.
func (m *Map) SVG() string {
	p := &picture{Map: m}
	p.heat("An idle connection", func(s Spot) Said { return s.Idle }, true)
	p.y += headHeight / 2
	p.heat("The peer's host loses power", func(s Spot) Said { return s.Off }, false)
	p.legend()
	width := nameWidth + max(len(m.Columns.Values), 8)*cellWidth + 2
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-label="map of settings">
<style>%[3]s</style>
<defs><pattern id="never" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="9" stroke="#d55e00" stroke-width="3" stroke-opacity=".45"/></pattern></defs>
<rect class="paper" width="100%%" height="100%%"/>
%[4]s</svg>
`, width, p.y, style, p.b.String())
}

// picture is a picture that is being drawn.
type picture struct {
	*Map
	b strings.Builder
	y int
}

func (p *picture) text(x, y int, class, words string) {
	fmt.Fprintf(&p.b, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x+5, y, class, html.EscapeString(words))
}

// heat draws the cells of one question.
func (p *picture) heat(title string, of func(Spot) Said, lines bool) {
	p.text(0, p.y+headHeight-6, "head", title)
	p.y += headHeight
	p.text(0, p.y+headHeight-6, "head", fmt.Sprintf("%s \\ %s", p.Rows.Name, p.Columns.Name))
	for i, v := range p.Columns.Values {
		p.text(nameWidth+i*cellWidth, p.y+headHeight-6, "head", v.text)
	}
	p.y += headHeight
	top := p.y
	var wrong strings.Builder
	for row, v := range p.Rows.Values {
		p.text(0, p.y+cellHeight/2+4, "", v.text)
		for column := range p.Columns.Values {
			said := of(p.at(row, column))
			x := nameWidth + column*cellWidth
			fmt.Fprintf(&p.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n", x, p.y, cellWidth, cellHeight, shade(said.Measured))
			p.text(x, p.y+14, "", said.Measured.brief())
			p.text(x, p.y+28, "said", said.Oracle.brief())
			if !said.Agrees {
				fmt.Fprintf(&wrong, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"wrong\"/>\n", x+2, p.y+2, cellWidth-4, cellHeight-4)
			}
		}
		p.y += cellHeight
	}
	p.b.WriteString(wrong.String())
	if lines {
		p.border(top, "measured", func(s Said) bool { return s.Measured.Is == Survives })
		p.border(top, "oracle", func(s Said) bool { return s.Oracle.Certain() && s.Oracle[0].Is == Survives })
	}
}

// border draws a line between the idle connections that live and their neighbours that do not.
func (p *picture) border(top int, class string, lives func(Said) bool) {
	is := func(row, column int) bool { return lives(p.at(row, column).Idle) }
	var d strings.Builder
	for row := range p.Rows.Values {
		for column := range p.Columns.Values {
			x, y := nameWidth+column*cellWidth, top+row*cellHeight
			if column > 0 && is(row, column) != is(row, column-1) {
				fmt.Fprintf(&d, "M%d %dv%d", x, y, cellHeight)
			}
			if row > 0 && is(row, column) != is(row-1, column) {
				fmt.Fprintf(&d, "M%d %dh%d", x, y, cellWidth)
			}
		}
	}
	if d.Len() > 0 {
		fmt.Fprintf(&p.b, "<path d=\"%s\" class=\"%s\"/>\n", d.String(), class)
	}
}

// legend says what the picture shows.
func (p *picture) legend() {
	var fixed []string
	for _, f := range p.Fixed {
		fixed = append(fixed, fmt.Sprintf("%s %v", f.Name, f.Value))
	}
	for _, line := range []string{
		"In each cell: what was measured; below, small: what the oracle says. The darker, the later it is noticed; hatched: never.",
		"Green line: where an idle connection ceases to live, measured. Dashed: where the oracle is no longer sure that it lives.",
		strings.Join(fixed, ", "),
	} {
		if line != "" {
			p.y += headHeight
			p.text(0, p.y-6, "said", line)
		}
	}
	p.y += 4
}

// brief returns the outcome as the picture has it.
func (o Outcome) brief() string {
	if o.Is == Noticed {
		return strings.TrimPrefix(o.As, "E") + " " + span(o.After)
	}
	return o.short()
}

// brief returns the words as the picture has them: of each the time by which it has happened.
func (w Words) brief() string {
	var all []string
	for _, word := range w {
		switch word.Is {
		case Noticed:
			text := span(word.Window.Earliest) + "–" + span(word.Window.Latest)
			if len(w) > 1 {
				text = "≤" + span(word.Window.Latest)
			}
			all = append(all, text)
		case Survives:
			all = append(all, "lives")
		default:
			all = append(all, string(word.Is))
		}
	}
	return strings.Join(all, " or ")
}

// shade returns the class of an outcome: the later, the darker.
func shade(o Outcome) string {
	switch o.Is {
	case Survives:
		return "lives"
	case Never:
		return "never"
	case "":
		return "unknown"
	}
	for i, limit := range []time.Duration{time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour} {
		if o.After <= limit {
			return fmt.Sprintf("n%d", i)
		}
	}
	return "n5"
}

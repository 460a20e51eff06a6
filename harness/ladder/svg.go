package ladder

import (
	"fmt"
	"html"
	"strings"
)

// The size of a character cell of Text as SVG draws it, in pixels.
const (
	cellWidth  = 8
	cellHeight = 18
)

// SVG draws the ladder as a picture of its own, for a README or a ticket: what Text draws, with
// lines for the lanes and arrows. It follows the colour scheme of its reader, light or dark.
func (l *Ladder) SVG() string {
	if len(l.Hosts) < 2 {
		return ""
	}
	s := &sketch{pen: pen{ladder: l, lanes: make([]rune, len(l.Hosts))}}
	for i := range s.lanes {
		s.lanes[i] = noSocket
	}
	if l.Title != "" {
		s.text(0, "title", "start", l.Title)
		s.row++
	}
	for i, h := range l.Hosts {
		anchor := "middle"
		switch i {
		case 0:
			anchor = "start"
		case len(l.Hosts) - 1:
			anchor = "end"
		}
		s.text(s.at(i), "host", anchor, h.Name)
	}
	s.row++
	for _, b := range l.Bursts() {
		if b.After > 0 {
			s.pause(InWords(b.After))
		}
		for _, r := range b.Rungs {
			s.rung(r)
		}
		if more := b.More(); more != "" {
			s.pause(more)
		}
	}
	if silence := l.Silence(); silence > 0 {
		s.pause(InWords(silence))
	}
	for i, line := range l.ending() {
		if i == 0 {
			s.row++
			s.text(0, "host", "start", l.atTheEnd())
			s.row++
		}
		s.text(2, "host", "start", line[0])
		s.text(2+nameWidth, "end", "start", line[1])
		s.row++
	}
	height := (s.row + 1) * cellHeight
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">
<style>%s</style>
<rect class="paper" width="100%%" height="100%%"/>
%s</svg>
`, (Columns+2)*cellWidth, height, (Columns+2)*cellWidth, height, html.EscapeString(l.Title), style, s.out.String())
}

// style has Okabe and Ito's colours, which the colour-blind tell apart.
const style = `
text{font:13px ui-monospace,monospace;fill:#1a1a1a}.paper{fill:#fff}.title{font-weight:700}.host{font-weight:700}.time,.peer,.gap{fill:#595959}
.lane{stroke:#d0d0d0;stroke-width:2}.established{stroke:#00795a;stroke-width:4}.other{stroke:#a06500;stroke-dasharray:4 3}
.packet{stroke:#0072b2;stroke-width:2}.head{fill:#0072b2}.died{stroke:#b84700}.cross{stroke:#b84700;stroke-width:2.5}.forged{stroke:#9c4f7c;stroke-dasharray:5 3}.forgedhead{fill:#9c4f7c}
.step{font-weight:700;fill:#0072b2}.state{fill:#00795a}.conntrack{fill:#9c4f7c}.label{paint-order:stroke;stroke:#fff;stroke-width:4px}
@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.paper{fill:#16181b}.time,.peer,.gap{fill:#a8a8a8}.lane{stroke:#44474c}.established{stroke:#35c99b}.other{stroke:#e69f00}
.packet{stroke:#56b4e9}.head{fill:#56b4e9}.died,.cross{stroke:#ff8a4c}.forged{stroke:#e29bc6}.forgedhead{fill:#e29bc6}.step{fill:#56b4e9}.state{fill:#35c99b}.conntrack{fill:#e29bc6}.label{stroke:#16181b}}
`

// sketch draws rows of a picture.
type sketch struct {
	pen
	row int
}

func x(column int) int { return (column + 1) * cellWidth }

// text writes a text at a column of the row. Its class is its colour.
func (s *sketch) text(column int, class, anchor, text string) {
	fmt.Fprintf(&s.out, "<text x=\"%d\" y=\"%d\" class=\"%s\" text-anchor=\"%s\">%s</text>\n",
		x(column), (s.row+1)*cellHeight-6, class, anchor, html.EscapeString(text))
}

// rails draws the lanes in the row.
func (s *sketch) rails() {
	for i, lane := range s.lanes {
		class := "lane"
		switch lane {
		case established:
			class = "lane established"
		case otherState:
			class = "lane other"
		}
		fmt.Fprintf(&s.out, "<line x1=\"%[1]d\" x2=\"%[1]d\" y1=\"%[2]d\" y2=\"%[3]d\" class=\"%[4]s\"/>\n", x(s.at(i)), s.row*cellHeight, (s.row+1)*cellHeight, class)
	}
}

// pause writes a line about a time that is left out.
func (s *sketch) pause(text string) {
	s.text(margin+2, "gap", "start", "⋮ "+text)
	s.row++
}

func (s *sketch) rung(r Rung) {
	if r.Arrow != nil {
		s.rails()
		s.text(margin-2, "time", "end", strings.TrimSpace(stamp(r.At)))
		s.arrow(r)
		s.row++
		return
	}
	s.changeLane(r)
	for i, text := range s.wrapped(r) {
		s.rails()
		if i == 0 {
			s.text(margin-2, "time", "end", strings.TrimSpace(stamp(r.At)))
		}
		column, anchor := margin+1, "start"
		switch {
		case r.Host == Everyone:
		case r.Host == len(s.lanes)-1:
			column, anchor = s.at(r.Host)-1, "end"
		default:
			column = s.at(r.Host) + 1
		}
		s.text(column, "label "+string(r.Kind), anchor, text)
		s.row++
	}
}

func (s *sketch) arrow(r Rung) {
	from, to := s.at(r.Host), s.at(r.To)
	if from == to { // lost on its first cable
		to = (from + s.at(s.towards(r))) / 2
	}
	line, head := "packet", "head"
	switch {
	case r.End != "":
		line = "packet died"
	case r.Forged:
		line, head = "packet forged", "forgedhead"
	}
	y := (s.row+1)*cellHeight - 1
	sign := 1
	if to < from {
		sign = -1
	}
	fmt.Fprintf(&s.out, "<line x1=\"%d\" x2=\"%d\" y1=\"%[3]d\" y2=\"%[3]d\" class=\"%[4]s\"/>\n", x(from), x(to), y, line)
	if r.End != "" {
		fmt.Fprintf(&s.out, "<path d=\"M%d %dl8 8m0-8l-8 8\" class=\"cross\"/>\n", x(to)-4, y-4)
	} else {
		fmt.Fprintf(&s.out, "<path d=\"M%d %dl%d -4v8z\" class=\"%s\"/>\n", x(to), y, -9*sign, head)
	}
	s.text((from+to)/2, "label", "middle", s.label(r))
}

package ladder

import (
	"fmt"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Columns is how wide Text draws.
const Columns = 100

// margin is the width of the times left of the first column.
const margin = 12

// Text draws the ladder for a terminal, at most Columns characters wide. A pause is a line with
// its length; what repeats itself in the same shape is drawn once.
//
//	 0.056  ├─────────────── SYN ──────────────▶┤
//	        ⋮ 75.8 s
//	75.832  ├──────── keepalive probe ──────────✗│
func (l *Ladder) Text() string {
	if len(l.Hosts) < 2 {
		return ""
	}
	p := &pen{ladder: l, lanes: make([]rune, len(l.Hosts))}
	for i := range p.lanes {
		p.lanes[i] = noSocket
	}
	if l.Title != "" {
		p.out.WriteString(l.Title + "\n\n")
	}
	p.heading()
	for _, b := range l.Bursts() {
		if b.After > 0 {
			p.note("⋮", InWords(b.After))
		}
		for _, r := range b.Rungs {
			p.rung(r)
		}
		if more := b.More(); more != "" {
			p.note("⋮", more)
		}
	}
	if silence := l.Silence(); silence > 0 {
		p.note("⋮", InWords(silence))
	}
	for i, line := range l.ending() {
		if i == 0 {
			fmt.Fprintf(&p.out, "\n%s\n", l.atTheEnd())
		}
		fmt.Fprintf(&p.out, "  %-*s%s\n", nameWidth, line[0], line[1])
	}
	return p.out.String()
}

// nameWidth is the room for the name of a host beside what it knows in the end.
const nameWidth = margin + 1

// ending returns how the hosts stand at the end, in lines of at most Columns, each a name and a text;
// none for a ladder of an earlier version.
func (l *Ladder) ending() (lines [][2]string) {
	for _, s := range l.Standings() {
		name := s.Host
		for _, text := range wrap(s.Words(), Columns-nameWidth-2) {
			lines = append(lines, [2]string{name, text})
			name = ""
		}
	}
	return lines
}

// atTheEnd is the heading of ending.
func (l *Ladder) atTheEnd() string { return fmt.Sprintf("At the end (%.3f s):", l.Ended.Seconds()) }

// wrap returns a text in lines of at most width characters, unless a word is longer.
func wrap(text string, width int) (lines []string) {
	for _, word := range strings.Fields(text) {
		n := len(lines)
		if n > 0 && len([]rune(lines[n-1]))+1+len([]rune(word)) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// The lanes of hosts: with a socket in state ESTABLISHED, with one in another state, with none.
const (
	established = '┃'
	otherState  = '╎'
	noSocket    = '│'
)

// pen draws lines of text.
type pen struct {
	ladder *Ladder
	lanes  []rune // of each host
	out    strings.Builder
}

// at returns the place of a host's column.
func (p *pen) at(host int) int {
	last := len(p.ladder.Hosts) - 1
	return margin + host*(Columns-margin-1)/last
}

// rails returns a line that has the lanes only.
func (p *pen) rails() []rune {
	line := []rune(strings.Repeat(" ", Columns))
	for i, lane := range p.lanes {
		line[p.at(i)] = lane
	}
	return line
}

func (p *pen) print(line []rune) { p.out.WriteString(strings.TrimRight(string(line), " ") + "\n") }

// put writes a text at a place, as far as there is room.
func put(line []rune, at int, text string) {
	for _, c := range text {
		if at >= 0 && at < len(line) {
			line[at] = c
		}
		at++
	}
}

func (p *pen) heading() {
	line := []rune(strings.Repeat(" ", Columns))
	for i, h := range p.ladder.Hosts {
		width := len([]rune(h.Name))
		put(line, min(max(p.at(i)-width/2, margin), Columns-width), h.Name)
	}
	p.print(line)
}

// note writes a text beside the first lane, where nothing happened.
func (p *pen) note(mark, text string) {
	line := []rune(strings.Repeat(" ", Columns))
	for i := range p.lanes {
		put(line, p.at(i), mark)
	}
	put(line, margin+2, text)
	p.print(line)
}

func (p *pen) rung(r Rung) {
	if r.Arrow != nil {
		p.arrow(r)
		return
	}
	p.changeLane(r)
	for i, text := range p.wrapped(r) {
		line := p.rails()
		if i == 0 {
			put(line, 0, stamp(r.At))
		}
		switch {
		case r.Host == Everyone:
			put(line, margin, "══ "+text+" ")
		case r.Host == len(p.lanes)-1:
			put(line, p.at(r.Host)-len([]rune(text))-2, " "+text+" ")
		default:
			put(line, p.at(r.Host)+1, " "+text+" ")
		}
		p.print(line)
	}
}

// changeLane changes the lane of a host whose socket has changed its state.
func (p *pen) changeLane(r Rung) {
	if r.Kind != Kind(timeline.State) || r.Subject == "" || r.Host < 0 {
		return
	}
	switch r.State {
	case "ESTABLISHED":
		p.lanes[r.Host] = established
	case "CLOSED":
		p.lanes[r.Host] = noSocket
	default:
		p.lanes[r.Host] = otherState
	}
}

// wrapped returns the text of an event in lines that fit beside its host's lane.
func (p *pen) wrapped(r Rung) []string {
	room := Columns - margin - 4
	if r.Host > 0 && r.Host < len(p.lanes)-1 {
		room = Columns - p.at(r.Host) - 3
	}
	return wrap(r.Words(), room)
}

// arrow draws a packet.
func (p *pen) arrow(r Rung) {
	line := p.rails()
	put(line, 0, stamp(r.At))
	from, to := p.at(r.Host), p.at(r.To)
	if r.End == Lost && r.To == r.Host { // on its first cable
		to = (from + p.at(p.towards(r))) / 2
	}
	left, right := min(from, to), max(from, to)
	shaft := '─'
	if r.Forged {
		shaft = '╌'
	}
	for x := left + 1; x < right; x++ {
		if line[x] == ' ' {
			line[x] = shaft
		}
	}
	head, tip := '▶', to-1
	if to < from {
		head, tip = '◀', to+1
	}
	if r.End != "" {
		head = '✗'
	}
	line[tip] = head
	text := []rune(" " + p.label(r) + " ")
	if room := right - left - 4; len(text) > room && r.End != "" { // beyond the place where the packet died
		if to < from {
			tip -= len(text) + 1
		}
		put(line, tip+1, string(text))
		p.print(line)
		return
	} else if len(text) > room && room > 1 {
		text = append(text[:room-1], '…')
	}
	// A label of a packet that passes more than one cable stands on the first one.
	span := right - left
	if n := len(p.lanes) - 1; n > 1 && len(text) < (Columns-margin)/n-3 {
		span = min(span, (Columns-margin)/n)
	}
	begin := left + (span-len(text))/2
	if to < from {
		begin = right - span + (span-len(text))/2
	}
	put(line, max(begin, left+2), string(text))
	p.print(line)
}

// label returns what a packet is, and what became of it.
func (p *pen) label(r Rung) string {
	label := r.Brief
	if r.Forged {
		label = "forged " + label
	}
	switch r.End {
	case Dropped:
		label += ", dropped at " + p.ladder.Hosts[r.To].Name
	case Lost:
		label += ", lost"
	}
	return label
}

// towards returns the column that a packet went to whose first cable lost it: the neighbour on
// the way to the other end.
func (p *pen) towards(r Rung) int {
	if r.Host == len(p.lanes)-1 {
		return r.Host - 1
	}
	return r.Host + 1
}

// stamp returns a time from the beginning, in seconds.
func stamp(d time.Duration) string { return fmt.Sprintf("%10.3f", d.Seconds()) }

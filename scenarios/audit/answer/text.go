package answer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Words returns the row in words: "ETIMEDOUT after 42 s". Where the connections differ it has the
// words of each: "connection 1: never; connection 2: ETIMEDOUT after 11 s".
func (f Fault) Words() string {
	if f.Verdict == Unmeasured {
		return "not measured: " + f.Reason()
	}
	var parts []string
	outcome := ConnectionOutcome{Kernel: f.Kernel, Noticed: f.Noticed, Verdict: f.Verdict, Trouble: f.Trouble, Spins: f.Spins, Within: f.Within}
	if words := outcome.words(); words != "" {
		parts = []string{words}
	}
	if !alike(f.Connections) {
		parts = grouped(f.Connections, ConnectionOutcome.words, func(o ConnectionOutcome) int { return o.Connection })
	}
	if f.Exit != nil && (f.Verdict == Noticing || len(f.Connections) > 0) {
		parts = append(parts, fmt.Sprintf("ends (%s) after %v", f.Exit.What, f.Exit.After))
	}
	return strings.Join(append(parts, f.aftermath()...), "; ")
}

// alike reports whether the connections have the same outcome.
func alike(all []ConnectionOutcome) bool {
	return !slices.ContainsFunc(all, func(o ConnectionOutcome) bool { return o.words() != all[0].words() })
}

// words returns the outcome in words; "" for a connection that ended with its program.
func (o ConnectionOutcome) words() string {
	switch o.Verdict {
	case Unmeasured:
		return "not measured: " + o.Trouble
	case Never:
		if o.Within > 0 {
			return fmt.Sprintf("nothing within %v", o.Within)
		}
		return o.Verdict
	case Alive:
		return o.Verdict
	case ByItself:
		return fmt.Sprintf("%s after %v, as always", o.Noticed.What, o.Noticed.After)
	case KernelOnly:
		if o.Spins {
			return fmt.Sprintf("its kernel: %s after %v; the program spins", o.Kernel.What, o.Kernel.After)
		}
		return fmt.Sprintf("its kernel: %s after %v; the program: nothing", o.Kernel.What, o.Kernel.After)
	}
	var parts []string
	switch {
	case o.Kernel == nil || o.Noticed != nil && *o.Kernel == *o.Noticed:
	case o.Noticed != nil && o.Kernel.After == o.Noticed.After:
		parts = append(parts, o.Kernel.What)
	default:
		parts = append(parts, fmt.Sprintf("its kernel: %s after %v", o.Kernel.What, o.Kernel.After))
	}
	if o.Noticed != nil {
		parts = append(parts, fmt.Sprintf("%s after %v", o.Noticed.What, o.Noticed.After))
	}
	return strings.Join(parts, "; ")
}

// Misses reports whether the program never notices a fault, idle or busy.
func (a *Answer) Misses(fault string) bool {
	for _, f := range a.Faults {
		if f.Name == fault && f.Verdict == Never && f.Within == 0 {
			return true
		}
	}
	return false
}

// Time names the clock that the audit was measured by: "real time", "virtual time".
func (a *Answer) Time() string {
	if a.RealTime {
		return "real time"
	}
	return "virtual time"
}

// text returns the answer as a page of that brevity.
func (a *Answer) text(short brevity) string {
	var b strings.Builder
	pair := func(name, format string, arguments ...any) {
		fmt.Fprintf(&b, "%-12s%s\n", name, fmt.Sprintf(format, arguments...))
	}
	pair(string(a.Program.Side), "%s", a.Program.Command)
	if a.Program.Package != "" {
		pair("package", "%s", a.Program.Package)
	}
	if i := a.Program.Image; i != nil {
		pair("image", "%s, %s", i.Name, i.Digest)
	}
	where := fmt.Sprintf("port %d", a.Program.Port)
	if a.Program.SCTP {
		where += " of SCTP"
	}
	if a.Program.IPv6 {
		where += ", over IPv6"
	}
	if a.Program.Loopback {
		where += ", on loopback only: reached there by address translation"
	}
	pair("peer", "%s; %s", a.Program.Peer, where)
	for _, other := range a.Program.Beside {
		pair("beside", "%s", other)
	}
	if words := a.Conversation.Words(); words != "" {
		pair("says", "%s", words)
	}
	if trouble := a.Conversation.Unanswered(); trouble != "" {
		pair("unanswered", "%s", trouble)
	}
	pair("kernel", "%s, in %s; each fault was watched for %v", a.Kernel, a.Time(), a.Watched)

	b.WriteString("\nSettings in force (read from the program's own socket)\n")
	for _, line := range a.SettingsLines() {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("\nWhen nothing happens\n")
	for _, line := range slices.Concat(a.Quiet(), a.endedLines()) {
		b.WriteString("  " + line + "\n")
	}

	b.WriteString("\nWhat it notices (after the peer was last heard; FIN: after the fault)\n")
	b.WriteString(a.table(short))

	if lines := a.recoveries(); lines != "" {
		b.WriteString("\nAnd then (after the fault)\n" + lines)
	}
	if a.OverIPv6 != nil {
		b.WriteString("\nWhat is different over IPv6 (from IPv4 to IPv6)\n")
		for _, line := range a.differences() {
			b.WriteString(folded("  ", line))
		}
	}

	if !a.Program.SCTP {
		b.WriteString("\nAn idle session behind middleboxes (halfopen presets)\n" + a.sessions(short))
	}
	if a.Ghosts != nil {
		b.WriteString("\nDead connections that pile up\n")
		for _, line := range a.Ghosts.Lines() {
			b.WriteString("  " + line + "\n")
		}
	}
	if a.Advice != nil {
		b.WriteString("\nTo change: " + a.Advice.Why + "\n")
		for _, line := range a.Advice.lines() {
			b.WriteString(folded("  ", line))
		}
	}
	if len(a.Unknown) > 0 {
		b.WriteString("\nUnknown\n")
		for _, line := range a.Unknown {
			b.WriteString("  " + line + "\n")
		}
	}
	return b.String()
}

// Lines returns the settings in words, for pages; "unknown" for nil.
func (s *Settings) Lines() []string {
	if s == nil {
		return []string{"unknown"}
	}
	keepalive := "SO_KEEPALIVE off"
	if s.Keepalive {
		keepalive = fmt.Sprintf("SO_KEEPALIVE on: TCP_KEEPIDLE %v, TCP_KEEPINTVL %v, TCP_KEEPCNT %d", s.Idle.plain(), s.Interval.plain(), s.Count)
	}
	timeout := "TCP_USER_TIMEOUT not set"
	if s.UserTimeout > 0 {
		timeout = fmt.Sprintf("TCP_USER_TIMEOUT %v", s.UserTimeout)
	}
	return []string{keepalive, timeout}
}

// plain returns the seconds of a setting as a program sets it.
func (s Seconds) plain() string { return fmt.Sprintf("%g s", s.Duration().Seconds()) }

// Quiet returns in words, for pages, what the program does when nothing happens.
func (a *Answer) Quiet() []string {
	if a.Program.SCTP {
		return a.Association.quiet()
	}
	lines := a.Wire.lines()
	if a.Strike != nil {
		lines[0] += fmt.Sprintf("; faults strike before that, after %v", *a.Strike)
	}
	return lines
}

func (w Wire) lines() []string {
	var lines []string
	if w.Ended != nil {
		lines = append(lines, fmt.Sprintf("the program ends the session: %s after %v", w.Ended.What, w.Ended.After))
	}
	if w.EndedByPeer != nil {
		lines = append(lines, fmt.Sprintf("the peer ends the session: %s after %v", w.EndedByPeer.What, w.EndedByPeer.After))
	}
	lines = append(lines, probing("its", w.Probes, w.ProbeSpacing))
	if w.PeerProbes > 0 {
		lines = append(lines, probing("the peer's", w.PeerProbes, w.PeerProbeSpacing))
	}
	if h := w.Heartbeat; h != nil {
		lines = append(lines, fmt.Sprintf("the %s sends heartbeats: %d, %v apart, %d bytes", h.By, h.Count, h.Period, h.Bytes))
	} else {
		lines = append(lines, "no heartbeat was seen")
	}
	silence := "longest silence: " + w.Silence.words()
	if w.Alone != w.Silence {
		silence += "; without what the peer sends by itself: " + w.Alone.words()
	}
	return append(lines, silence)
}

// probing returns whose kernel sends keepalive probes.
func probing(whose string, count int, spacing Seconds) string {
	switch {
	case count == 0:
		return "no keepalive probe was seen"
	case spacing == 0:
		return fmt.Sprintf("%s kernel sends keepalive probes: %d", whose, count)
	}
	return fmt.Sprintf("%s kernel sends keepalive probes: %d, %v apart", whose, count, spacing)
}

func (s Silence) words() string {
	if s.Open {
		return fmt.Sprintf("%v, and longer than it was watched", s.Lasted)
	}
	return s.Lasted.String()
}

// Lines returns how many there are in words, for pages; none for nil.
func (g *Ghosts) Lines() []string {
	switch {
	case g == nil:
		return nil
	case g.Most == 0:
		return []string{fmt.Sprintf("a client that loses power and returns every %v leaves one more each time (derived)", g.Every)}
	}
	return []string{fmt.Sprintf("a client that loses power and returns every %v leaves %d at once (derived)", g.Every, g.Most)}
}

// title returns the preset's name, and that it was run, if it was.
func (p Preset) title() string {
	if p.How == RunHere {
		return p.Name + " (run)"
	}
	return p.Name
}

// wrapped returns a list of names in lines of at most columns.
func wrapped(heading string, names []string) string {
	var b strings.Builder
	at := heading
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if len(at)+1+len(name) > columns {
			b.WriteString(strings.TrimRight(at, " ") + "\n")
			at = strings.Repeat(" ", len(heading))
		}
		at += " " + name
	}
	return b.String() + at + "\n"
}

// columns is how wide a page is, at most.
const columns = 120

// folded returns a text in lines of at most columns, each of some of its parts, which "; "
// separates.
func folded(heading, text string) string {
	var b strings.Builder
	at := heading
	for i, part := range strings.Split(text, "; ") {
		if i > 0 {
			at += ";"
			if len(at)+1+len(part)+1 > columns {
				b.WriteString(at + "\n")
				at = strings.Repeat(" ", len(heading))
			} else {
				at += " "
			}
		}
		at += part
		for len(at) > columns {
			end := strings.LastIndex(at[:columns], " ") + 1
			if end <= len(heading) { // a word that fills a line
				for end = columns; !utf8.RuneStart(at[end]); end-- {
				}
			}
			b.WriteString(strings.TrimRight(at[:end], " ") + "\n")
			at = strings.Repeat(" ", len(heading)) + at[end:]
		}
	}
	return b.String() + at + "\n"
}

func (v *Advice) lines() []string {
	options := fmt.Sprintf("setsockopt: SO_KEEPALIVE 1, TCP_KEEPIDLE %g, TCP_KEEPINTVL %g, TCP_KEEPCNT %d, TCP_USER_TIMEOUT %d",
		v.Idle.Duration().Seconds(), v.Interval.Duration().Seconds(), v.Count, v.UserTimeout.Duration().Milliseconds())
	lines := []string{options}
	if v.BySysctl {
		lines = append(lines, "or, since it has keepalive on with the system's values:",
			fmt.Sprintf("sysctl -w net.ipv4.tcp_keepalive_time=%g net.ipv4.tcp_keepalive_intvl=%g net.ipv4.tcp_keepalive_probes=%d",
				v.Idle.Duration().Seconds(), v.Interval.Duration().Seconds(), v.Count))
	}
	for _, f := range v.Tried {
		lines = append(lines, fmt.Sprintf("tried: %s: %s", f.Name, f.Words()))
	}
	return lines
}

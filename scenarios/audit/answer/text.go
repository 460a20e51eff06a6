package answer

import (
	"fmt"
	"strings"
)

// Words returns the row in words: "ETIMEDOUT after 42 s".
func (f Fault) Words() string {
	switch f.Verdict {
	case Unmeasured:
		return "not measured: " + f.Trouble
	case Never:
		if f.Within > 0 {
			return fmt.Sprintf("nothing within %v", f.Within)
		}
		return f.Verdict
	case Alive:
		return f.Verdict
	case ByItself:
		return fmt.Sprintf("%s after %v, as always", f.Noticed.What, f.Noticed.After)
	case KernelOnly:
		return fmt.Sprintf("its kernel: %s after %v; the program: nothing", f.Kernel.What, f.Kernel.After)
	}
	var parts []string
	switch {
	case f.Kernel == nil || f.Noticed != nil && *f.Kernel == *f.Noticed:
	case f.Noticed != nil && f.Kernel.After == f.Noticed.After:
		parts = append(parts, f.Kernel.What)
	default:
		parts = append(parts, fmt.Sprintf("its kernel: %s after %v", f.Kernel.What, f.Kernel.After))
	}
	if f.Noticed != nil {
		parts = append(parts, fmt.Sprintf("%s after %v", f.Noticed.What, f.Noticed.After))
	}
	if f.Exit != nil {
		parts = append(parts, fmt.Sprintf("ends (%s) after %v", f.Exit.What, f.Exit.After))
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

// Text returns the answer as a page for a terminal, at most 120 columns wide.
func (a *Answer) Text() string {
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
	pair("kernel", "%s, in %s; each fault was watched for %v", a.Kernel, a.Time(), a.Watched)

	b.WriteString("\nSettings in force (read from the program's own socket)\n")
	for _, line := range a.Settings.lines() {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("\nWhen nothing happens\n")
	for _, line := range a.Wire.lines() {
		b.WriteString("  " + line + "\n")
	}

	b.WriteString("\nWhat it notices (after the peer was last heard; FIN: after the fault)\n")
	width := 0
	for _, f := range a.Faults {
		width = max(width, len(f.Name))
	}
	for _, f := range a.Faults {
		fmt.Fprintf(&b, "  %-*s  %-4s  %s\n", width, f.Name, f.Load, f.Words())
	}

	b.WriteString("\nAn idle session behind middleboxes (halfopen presets)\n")
	for _, outcome := range []string{Survives, Dies, EndsFirst, Undecided} {
		if names := a.named(outcome); len(names) > 0 {
			b.WriteString(wrapped(fmt.Sprintf("  %-12s", outcome), names))
		}
	}
	if a.Ghosts != nil {
		b.WriteString("\nDead connections that pile up\n")
		for _, line := range a.Ghosts.lines() {
			b.WriteString("  " + line + "\n")
		}
	}
	if a.Advice != nil {
		b.WriteString("\nTo change: " + a.Advice.Why + "\n")
		for _, line := range a.Advice.lines() {
			b.WriteString("  " + line + "\n")
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

func (s *Settings) lines() []string {
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

func (w Wire) lines() []string {
	var lines []string
	if w.Ended != nil {
		lines = append(lines, fmt.Sprintf("the program ends the session: %s after %v", w.Ended.What, w.Ended.After))
	}
	switch {
	case w.Probes > 0 && w.ProbeSpacing > 0:
		lines = append(lines, fmt.Sprintf("its kernel sends keepalive probes: %d, %v apart", w.Probes, w.ProbeSpacing))
	case w.Probes > 0:
		lines = append(lines, fmt.Sprintf("its kernel sends keepalive probes: %d", w.Probes))
	default:
		lines = append(lines, "no keepalive probe was seen")
	}
	if h := w.Heartbeat; h != nil {
		lines = append(lines, fmt.Sprintf("the %s sends heartbeats: %d, %v apart, %d bytes", h.By, h.Count, h.Period, h.Bytes))
	} else {
		lines = append(lines, "no heartbeat was seen")
	}
	open := ""
	if w.Silence.Open {
		open = ", and longer than it was watched"
	}
	return append(lines, fmt.Sprintf("longest silence: %v%s", w.Silence.Lasted, open))
}

func (g *Ghosts) lines() []string {
	switch {
	case g == nil:
		return nil
	case g.Most == 0:
		return []string{fmt.Sprintf("a client that loses power and returns every %v leaves one more each time (derived)", g.Every)}
	}
	return []string{fmt.Sprintf("a client that loses power and returns every %v leaves %d at once (derived)", g.Every, g.Most)}
}

// named returns the presets with an outcome; those that were run say so.
func (a *Answer) named(outcome string) []string {
	var names []string
	for _, p := range a.Presets {
		if p.Outcome != outcome {
			continue
		}
		name := p.Name
		if p.How == RunHere {
			name += " (run)"
		}
		names = append(names, name)
	}
	return names
}

// wrapped returns a list of names in lines of at most 120 columns.
func wrapped(heading string, names []string) string {
	const columns = 120
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

package answer

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown returns the answer as a page for GitHub and the like.
func (a *Answer) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Audit of the %s `%s`\n\n", a.Program.Side, a.Program.Command)
	if a.Program.Package != "" {
		fmt.Fprintf(&b, "%s, ", a.Program.Package)
	}
	if i := a.Program.Image; i != nil {
		fmt.Fprintf(&b, "image `%s` (`%s`), ", i.Name, i.Digest)
	}
	fmt.Fprintf(&b, "port %d, on %s, in %s. The peer: %s. Each fault was watched for %v.\n", a.Program.Port, a.Kernel, a.Time(), a.Program.Peer, a.Watched)
	if words := a.Conversation.Words(); words != "" {
		fmt.Fprintf(&b, "It says: %s.\n", words)
	}
	if trouble := a.Conversation.Unanswered(); trouble != "" {
		fmt.Fprintf(&b, "The program did not answer it: %s.\n", trouble)
	}
	for _, other := range a.Program.Beside {
		fmt.Fprintf(&b, "Beside the two: %s.\n", other)
	}
	list := func(heading string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n", heading)
		for _, line := range lines {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	list("Settings in force", a.SettingsLines())
	list("When nothing happens", slices.Concat(a.Quiet(), a.endedLines()))
	b.WriteString("\n## What it notices\n\n| fault | load | what happens | capture |\n|---|---|---|---|\n")
	for _, f := range a.Faults {
		fmt.Fprintf(&b, "| %s | %s | %s | [packets](%s) |\n", f.Name, f.LoadWords(), strings.ReplaceAll(f.Words(), "|", `\|`), f.Capture)
	}
	var recovered []string
	for _, f := range a.Faults {
		if f.Recovery != nil {
			recovered = append(recovered, f.Title()+": "+f.Recovery.Words())
		}
	}
	list("And then (after the fault)", recovered)
	if a.OverIPv6 != nil {
		list("What is different over IPv6 (from IPv4 to IPv6)", a.differences())
	}
	if !a.Program.SCTP {
		b.WriteString("\n## An idle session behind middleboxes\n\n| preset | idle timeout | outcome | how it is known | why |\n|---|---|---|---|---|\n")
		for _, p := range a.Presets {
			if p.Alone != "" {
				p.Why += fmt.Sprintf("; if the peer sent nothing by itself, it %s: %s", p.Alone, p.WhyAlone)
			}
			timeout := "none"
			if p.Timeout > 0 {
				timeout = p.Timeout.plain()
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", p.Name, timeout, p.Outcome, p.How, p.Why)
		}
	}
	if a.Advice != nil {
		list("To change: "+a.Advice.Why, a.Advice.lines())
	}
	list("Dead connections that pile up", a.Ghosts.Lines())
	list("Unknown", a.Unknown)
	return b.String()
}

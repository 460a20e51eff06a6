package errno

import (
	"fmt"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

const introduction = `# The errno atlas

For each errno that a socket program can get: when, from which call, and where that is written
down. Every line is a recipe in [suites/errno](../suites/errno), and a spec that produces the
situation in a lab and checks what the call returns. This file is printed from the recipes by
%[1]smake atlas%[1]s.

The kernel reports an error of a connection once, to the first call: where the table says
recv(2), send(2) or SO_ERROR would have got the same errno. Where it says connect(2), a
non-blocking connect(2) gives EINPROGRESS, and SO_ERROR has the errno.

`

// absent is the heading of the errnos that Linux never returns.
const absent = "\n## Absent errnos"

// Markdown returns the content of docs/errno-atlas.md.
func Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, introduction, "`")
	text.WriteString("| errno | you get it when | call | source |\n|---|---|---|---|\n")
	for _, r := range recipes {
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", sock.ErrnoName(r.errno), r.sentence(), r.call, r.source)
	}
	text.WriteString(absent + "\n\nErrnos that manual pages or POSIX make one expect, and what Linux returns instead.\n\n")
	text.WriteString("| errno | why you do not get it | what you get instead | call | source |\n|---|---|---|---|---|\n")
	for _, a := range absences {
		r := a.instead
		fmt.Fprintf(&text, "| %s | %s. | %s when %s | %s | %s |\n", sock.ErrnoName(a.errno), a.reason, r.outcome(), r.sentence(), r.call, r.source)
	}
	return text.String()
}

// sentence returns the recipe's situation and its address family.
func (r recipe) sentence() string {
	text := r.when
	switch r.over {
	case sock.IPv4, sock.IPv6:
		text += fmt.Sprintf(" (%v only)", r.over)
	}
	return text
}

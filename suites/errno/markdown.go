package errno

import (
	"fmt"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

const introduction = `# The errno atlas

For each errno that a socket program can meet: when, from which call, and where that is written
down. Every line is a recipe in [suites/errno](../suites/errno), and a spec that makes the
situation in a lab and looks at what the call returns. This file is made from them, by
%[1]smake atlas%[1]s.

An error of a connection is told once, to the call that comes first: where it says recv(2), a
send(2), or SO_ERROR, would have got the same. Where it says connect(2), one that does not block
gives EINPROGRESS, and SO_ERROR the errno.

`

// Markdown is the recipes as docs/errno-atlas.md has them.
func Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, introduction, "`")
	text.WriteString("| errno | you meet it when | call | source |\n|---|---|---|---|\n")
	for _, r := range met {
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", sock.ErrnoName(r.errno), r.sentence(), r.call, r.source)
	}
	text.WriteString("\n## Not there\n\nErrnos that manuals or POSIX lead one to expect, and what Linux gives instead.\n\n")
	text.WriteString("| errno | why it does not come | what comes instead | call | source |\n|---|---|---|---|---|\n")
	for _, a := range never {
		r := a.instead
		fmt.Fprintf(&text, "| %s | %s. | %s when %s | %s | %s |\n", sock.ErrnoName(a.errno), a.reason, r.outcome(), r.sentence(), r.call, r.source)
	}
	return text.String()
}

// sentence is when the recipe's errno comes, and over which address family.
func (r recipe) sentence() string {
	text := r.when
	switch r.over {
	case sock.IPv4, sock.IPv6:
		text += fmt.Sprintf(" (%v only)", r.over)
	}
	return text
}

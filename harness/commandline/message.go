package commandline

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// Message returns the text of an error for a user: one line, which may end with a colon before a
// list or a quotation. That of a full disk has the file that could not be written, and what can be
// done.
func Message(err error) string {
	text := printable(oneLine(err.Error()))
	if errors.Is(err, exec.ErrNotFound) {
		return text + ": install it, or name its directory in PATH"
	}
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return text
	}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		if strings.Contains(line, unix.ENOSPC.Error()) || strings.Contains(line, unix.EDQUOT.Error()) {
			return strings.TrimSpace(line) + ": make room there, or choose another place (the report's directory; TMPDIR for temporary files; XDG_CACHE_HOME for the cache)"
		}
	}
	return text
}

// oneLine joins the lines of a text before the first one that ends with a colon: those of several
// errors (errors.Join), or of a name that has a line feed.
func oneLine(text string) string {
	head, rest, quotes := strings.Cut(text, ":\n")
	head = strings.ReplaceAll(strings.TrimRight(head, "\n"), "\n", "; ")
	if !quotes {
		return head
	}
	return head + ":\n" + rest
}

// printable shows what a terminal would obey, such as an escape in a name, as \x1b.
func printable(text string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

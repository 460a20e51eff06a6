package commandline

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// Message returns the text of an error for a user. That of a full disk is one line with the file
// that could not be written, and what can be done.
func Message(err error) string {
	text := err.Error()
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return text
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, unix.ENOSPC.Error()) || strings.Contains(line, unix.EDQUOT.Error()) {
			return line + ": make room there, or choose another place (the report's directory; TMPDIR for temporary files; XDG_CACHE_HOME for the cache)"
		}
	}
	return text
}

package box

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/peer"
)

// openTerminal opens both sides of a pseudoterminal (pty(7)) that passes bytes on
// unchanged and echoes nothing.
func openTerminal() (ours, theirs *os.File, err error) {
	ours, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	theirs, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	state, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
	if err != nil {
		return nil, nil, err
	}
	state.Lflag &^= unix.ECHO
	state.Oflag &^= unix.OPOST
	return ours, theirs, unix.IoctlSetTermios(int(theirs.Fd()), unix.TCSETS, state)
}

// A box reports at most maxLines lines of the program's output, each cut after maxLength
// bytes.
const (
	maxLines  = 200
	maxLength = 400
)

// reportLines reports the lines of the terminal until no process has it open (EIO), and the
// first that matches; nil: none does.
func reportLines(terminal *os.File, match *regexp.Regexp) {
	lines := bufio.NewReaderSize(terminal, maxLength)
	for n := 0; ; {
		text, err := lines.ReadSlice('\n')
		if line := strings.TrimSpace(strings.ToValidUTF8(string(text), "?")); line != "" {
			if match != nil && match.MatchString(line) {
				peer.Report(peer.Event{Name: matched, Text: line})
				match = nil
			}
			switch n++; {
			case n <= maxLines:
				peer.Report(peer.Event{Name: wrote, Text: line})
			case n == maxLines+1:
				peer.Report(peer.Event{Name: flooded, N: maxLines})
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

package root

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// configured are the directories in which programs find their settings and keep their
// state.
var configured = []string{"/etc", "/root", "/var"}

// addUnreadable puts something in place of the files and directories of this machine that
// the caller may not read: a guest that opens one to write to it would fail, because the
// overlay reads it first. A file is empty then, and so is a directory; shadow(5) and
// gshadow(5) have every user and group of passwd(5) and group(5), without a password.
func (l *layer) addUnreadable() error {
	if os.Geteuid() == 0 {
		return nil
	}
	for _, directory := range configured {
		err := filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return fs.SkipDir // gone meanwhile, or added below already
			}
			mode := uint32(unix.R_OK)
			if entry.IsDir() {
				mode |= unix.X_OK
			}
			if !entry.IsDir() && !entry.Type().IsRegular() || unix.Faccessat(unix.AT_FDCWD, file, mode, unix.AT_EACCESS) == nil {
				return nil
			}
			var s unix.Stat_t
			if err := unix.Lstat(file, &s); err != nil {
				return nil // gone meanwhile
			}
			if entry.IsDir() {
				if err := l.emptyDirectory(file, &s); err != nil {
					return err
				}
				return fs.SkipDir
			}
			return l.file(file, &s, instead(file))
		})
		if err != nil {
			return fmt.Errorf("looking for files that cannot be read: %w", err)
		}
	}
	return nil
}

// instead returns what a file has in place of what the caller may not read.
func instead(file string) []byte {
	from, entry := "", ""
	switch strings.TrimSuffix(file, "-") {
	case "/etc/shadow":
		from, entry = "/etc/passwd", ":*:20000:0:99999:7:::\n"
	case "/etc/gshadow":
		from, entry = "/etc/group", ":*::\n"
	default:
		return nil
	}
	content, _ := os.ReadFile(from) // everybody may
	var out bytes.Buffer
	for line := range strings.Lines(string(content)) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			out.WriteString(name + entry)
		}
	}
	return out.Bytes()
}

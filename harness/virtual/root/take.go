package root

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// Take puts a file or a directory of this machine into the guest, under the same name or,
// after a colon, another one: "conf/nginx.conf:/etc/nginx/nginx.conf". Programs and
// libraries bring the shared libraries that they need. Sockets, pipes and devices are left
// out.
func (s *FileSystem) Take(what string) error {
	from, name, renamed := strings.Cut(what, ":")
	from, err := filepath.Abs(from)
	if err != nil {
		return fmt.Errorf("taking %s along: %w", what, err)
	}
	if !renamed {
		name = from
	}
	if !filepath.IsAbs(name) {
		return fmt.Errorf("taking %s along: its name in the guest, %s, must begin with /", from, name)
	}
	add := func(name, file string) error { return addFile(s.Files, name, file) }
	info, err := os.Stat(from)
	switch {
	case err != nil:
	case info.IsDir():
		err = copyDirectory(s.Files, name, from, add)
	default:
		err = add(name, from)
	}
	if pathError, ok := errors.AsType[*fs.PathError](err); ok && pathError.Path == from {
		err = pathError.Err
	}
	if err != nil {
		return fmt.Errorf("taking %s along: %w", from, err)
	}
	return nil
}

// copyDirectory puts a directory of this machine into a guest under a name; add puts each
// file there.
func copyDirectory(files *virtual.Files, name, directory string, add func(name, file string) error) error {
	return filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(directory, file)
		if err != nil {
			return err
		}
		to := filepath.Join(name, relative)
		switch {
		case entry.IsDir():
			files.Directory(to, 0o755)
			return nil
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(file)
			if err == nil {
				files.Link(to, target)
			}
			return err
		case entry.Type().IsRegular():
			return add(to, file)
		}
		return nil
	})
}

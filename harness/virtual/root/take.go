package root

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// Take puts a file or a directory of this machine into the guest, under the same name or,
// after a colon, another one: "conf/nginx.conf:/etc/nginx/nginx.conf". Programs and
// libraries bring the shared libraries that they need. Sockets, pipes and devices are left
// out.
func (s *FileSystem) Take(what string) error {
	from, name, err := parseTake(what)
	if err != nil {
		return err
	}
	var size int64
	add := func(name, file string) error {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		size += info.Size()
		if err := checkSize(size); err != nil {
			return err
		}
		return addFile(s.Files, name, file)
	}
	info, err := os.Stat(from)
	switch {
	case err != nil:
	case info.IsDir():
		err = copyDirectory(s.Files, name, from, add)
	default:
		err = add(name, from)
	}
	return taking(from, err)
}

// maxTaken is how many bytes may be taken along: they are in the memory of this process and of the
// guest, several times.
const maxTaken = 1 << 30

func checkSize(size int64) error {
	if size > maxTaken {
		return fmt.Errorf("it has more than %d MiB, which a guest has to keep in its memory: leave out what is not needed", maxTaken>>20)
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

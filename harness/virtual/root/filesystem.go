package root

import (
	"context"
	"path/filepath"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// FileSystem is the root file system of a guest while it is put together. Make one with
// New. It is not safe for concurrent use.
type FileSystem struct {
	Files *virtual.Files

	users    *accounts
	packages []unpacked
}

// unpacked is a package with what it depends on, as the cache has it.
type unpacked struct {
	directory string
	version   string // its name with its version: "nginx 1.22.1-9"
}

// New returns a file system with a shell, what labs need (debian.Tools), and the locale
// C.UTF-8 where this machine has it. It fetches Debian packages that are not in the cache
// yet, which may take minutes, until ctx ends.
func New(ctx context.Context) (*FileSystem, error) {
	s := empty()
	if err := debian.Tools(ctx, s.Files); err != nil {
		return nil, err
	}
	return s, addLocale(s.Files)
}

func empty() *FileSystem { return &FileSystem{Files: &virtual.Files{}, users: basicAccounts()} }

// Finish writes what depends on everything else: the users and groups. Nothing may be
// added afterwards.
func (s *FileSystem) Finish() { s.users.write(s.Files) }

// version returns the name and version of the package that has a file, as in
// "nginx 1.22.1-9"; empty: none has it.
func (s *FileSystem) version(file string) string {
	for _, p := range s.packages {
		if isFile(filepath.Join(p.directory, file)) {
			return p.version
		}
	}
	return ""
}

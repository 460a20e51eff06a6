package root

import (
	"context"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// FileSystem is the root file system of a guest that cannot reach this machine's files, while
// it is put together: programs of this machine with what they need. Make one with New. It is not safe for concurrent use.
type FileSystem struct {
	Files *virtual.Files
}

// New returns a file system with a shell, what labs need (debian.Tools), and the locale
// C.UTF-8 where this machine has it. It fetches Debian packages that are not in the cache
// yet, which may take minutes, until ctx ends.
func New(ctx context.Context) (*FileSystem, error) {
	s := empty()
	if err := debian.Tools(ctx, s.Files); err != nil {
		return nil, err
	}
	addAccounts(s.Files)
	return s, addLocale(s.Files)
}

func empty() *FileSystem { return &FileSystem{Files: &virtual.Files{}} }

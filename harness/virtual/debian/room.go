package debian

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// RoomFor returns an error if a directory's file system has fewer bytes free than something
// takes: "building the user-mode kernel".
func RoomFor(what, directory string, bytes uint64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(directory, &s); err != nil {
		return fmt.Errorf("asking how much room is in %s: %w", directory, err)
	}
	if free := s.Bavail * uint64(s.Bsize); free < bytes {
		return fmt.Errorf("%s takes %d MB, and %s has %d free: make room, or name another place by XDG_CACHE_HOME", what, bytes/1e6, directory, free/1e6)
	}
	return nil
}

// full returns the error of a full disk where a program complains of one.
func full(complaint string) error {
	if strings.Contains(complaint, "No space left on device") {
		return unix.ENOSPC
	}
	return nil
}

package sock

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Borrow returns a second descriptor of a socket that one of the processes holds, and the pid of
// that process. inode is the socket's (Entry.Inode). Options set on the Conn are set on the
// process's own socket. Closing the Conn does not close the process's socket. The Await methods
// must not be called: they would change how the process's own calls block.
//
// Borrow needs the right to ptrace(2) the process (pidfd_getfd(2), Linux 5.6). It skips processes
// that have ended; it returns an error when none holds the socket.
func Borrow(inode uint32, processes []int) (c *Conn, pid int, err error) {
	s, pid, err := borrowFrom(inode, processes)
	if err != nil {
		return nil, pid, err
	}
	return &Conn{s}, pid, nil
}

// BorrowSCTP does what Borrow does, for a socket of SCTP (AssociationEntry.Inode).
func BorrowSCTP(inode uint32, processes []int) (s *SCTP, pid int, err error) {
	borrowed, pid, err := borrowFrom(inode, processes)
	if err != nil {
		return nil, pid, err
	}
	return &SCTP{borrowed}, pid, nil
}

func borrowFrom(inode uint32, processes []int) (c socket, pid int, err error) {
	wanted := fmt.Sprintf("socket:[%d]", inode)
	for _, pid := range processes {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, link := range links {
			if target, err := os.Readlink(link); err != nil || target != wanted {
				continue
			}
			number, err := strconv.Atoi(filepath.Base(link))
			if err != nil {
				continue
			}
			c, err := borrow(pid, number)
			return c, pid, err
		}
	}
	return socket{}, 0, fmt.Errorf("none of %d processes has the socket with inode %d open", len(processes), inode)
}

func borrow(pid, number int) (socket, error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return socket{}, fmt.Errorf("opening process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(process) }()
	fd, err := unix.PidfdGetfd(process, number, 0)
	if err != nil {
		return socket{}, fmt.Errorf("copying descriptor %d of process %d: %w", number, pid, err)
	}
	// Not newSocket, which sets O_NONBLOCK: that flag is shared with the process.
	file := os.NewFile(uintptr(fd), "borrowed")
	raw, err := file.SyscallConn()
	if err != nil {
		return socket{}, err
	}
	return socket{file: file, raw: raw, reading: make(chan struct{}, 1), writing: make(chan struct{}, 1)}, nil
}

package sock

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Borrow makes a second descriptor of a socket that another process holds, found by its
// inode (Entry.Inode): what is asked of it, or set on it, is asked of and set on the
// process's own socket. Do not wait for anything with it. Closing it closes nothing for
// the process. It needs the rights of ptrace(2) over it (pidfd_getfd(2), Linux 5.6). The processes are the ones to look
// at; one that has ended is passed over.
func Borrow(inode uint32, processes []int) (c *Conn, pid int, err error) {
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
	return nil, 0, fmt.Errorf("no process of %d has the socket with inode %d open", len(processes), inode)
}

func borrow(pid, number int) (*Conn, error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("opening process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(process) }()
	fd, err := unix.PidfdGetfd(process, number, 0)
	if err != nil {
		return nil, fmt.Errorf("copying descriptor %d of process %d: %w", number, pid, err)
	}
	// Not newSocket: whether calls wait belongs to the socket, and so to the process.
	file := os.NewFile(uintptr(fd), "borrowed")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &Conn{socket{file: file, raw: raw, reading: make(chan struct{}, 1), writing: make(chan struct{}, 1)}}, nil
}

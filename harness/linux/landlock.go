package linux

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Landlock can forbid, by the version of its interface that brought it
// (Documentation/userspace-api/landlock.rst).
var (
	writes = []uint64{ // the access rights of each version that change files
		1: unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
			unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
			unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			unix.LANDLOCK_ACCESS_FS_MAKE_SYM,
		2: unix.LANDLOCK_ACCESS_FS_REFER,
		3: unix.LANDLOCK_ACCESS_FS_TRUNCATE,
	}
	connections = []uint64{4: unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}
	scopes      = []uint64{6: unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL}
)

// upTo joins the rights of all versions up to one.
func upTo(version int, rights []uint64) (all uint64) {
	for v, r := range rights {
		if v <= version {
			all |= r
		}
	}
	return all
}

// harmless are the devices that a program may write to: nothing is changed by that.
var harmless = []string{"/dev/null", "/dev/ptmx"}

// ConfineThread forbids the calling thread, and the programs that it starts from now on, to
// change the machine: to write to files other than those that are given, /dev/null and
// /dev/ptmx, and to make, rename or remove files. From Linux 6.7 on they also cannot bind or
// connect TCP sockets, and from 6.12 on they cannot send signals to other programs
// (landlock(7)). Files that are open already stay usable. There is no way back: the thread
// must not be used for anything else. The error is ErrNoLandlock on a kernel without it.
func ConfineThread(writable ...*os.File) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("%w: %w", ErrNoLandlock, errno)
	}
	v := int(version)
	handled := unix.LandlockRulesetAttr{Handled_access_fs: upTo(v, writes), Handled_access_net: upTo(v, connections), Scoped: upTo(v, scopes)}
	// A kernel accepts fields that it does not know if they are zero.
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), unsafe.Sizeof(handled), 0)
	if errno != 0 {
		return fmt.Errorf("making a Landlock ruleset: %w", errno)
	}
	defer func() { _ = unix.Close(int(ruleset)) }()
	allowed := handled.Handled_access_fs & (unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE)
	for _, file := range writable {
		if err := allow(ruleset, int(file.Fd()), allowed); err != nil {
			return fmt.Errorf("allowing to write to %s: %w", file.Name(), err)
		}
	}
	for _, name := range harmless {
		fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err == nil {
			err = errors.Join(allow(ruleset, fd, allowed), unix.Close(fd))
		}
		if err != nil {
			return fmt.Errorf("allowing to write to %s: %w", name, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil { // landlock_restrict_self(2)
		return fmt.Errorf("giving up new privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("entering a Landlock ruleset: %w", errno)
	}
	return nil
}

// ErrNoLandlock is the error of ConfineThread where the kernel has no Landlock: it is older
// than 5.13, was built or started without it, or a container's seccomp filter hides it.
var ErrNoLandlock = errors.New("this kernel has no Landlock")

// allow adds to a ruleset that a file may be used so.
func allow(ruleset uintptr, fd int, access uint64) error {
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

package linux

import (
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// programPowers are the capabilities that a program keeps (capabilities(7)): those that
// servers use on their own files, sockets and processes. Without the others it cannot mount
// file systems, load modules, set the clock, or switch the machine off.
var programPowers = []uintptr{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID,
	unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_BROADCAST, unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_IPC_LOCK,
	unix.CAP_IPC_OWNER, unix.CAP_SYS_CHROOT, unix.CAP_SYS_NICE, unix.CAP_SYS_RESOURCE, unix.CAP_MKNOD, unix.CAP_LEASE,
	unix.CAP_AUDIT_WRITE, unix.CAP_SETFCAP,
}

// LimitPrograms takes from the programs that the calling thread starts from now on all
// capabilities but those that servers use, whoever their user is. The thread itself keeps
// its own.
func LimitPrograms() error {
	kept := map[uintptr]bool{}
	for _, c := range programPowers {
		kept[c] = true
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if kept[c] {
			continue
		}
		// EINVAL: this kernel does not have it yet.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("taking capability %d from programs: %w", c, err)
		}
	}
	return nil
}

// StartLimited starts a command as LimitPrograms says, from a thread of its own.
func StartLimited(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread's limits are not for other commands
		err := LimitPrograms()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
	}()
	return <-started
}

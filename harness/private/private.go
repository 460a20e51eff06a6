// Package private runs a program in namespaces of its own. What the program makes ends with
// it, and it changes nothing on the machine.
//
// Labs are made by package harness, whose Main uses this package.
package private

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Here reports whether this process runs in namespaces of its own: those that Main has
// made, or a whole guest (environment.Settings, Private).
func Here() bool { return environment.Read().Private }

// Main runs this program again in new pid, mount and network namespaces and, for an
// ordinary user, in a new user namespace in which it is root. The process in there calls
// run and exits with its result. The process out here waits, and exits with the same
// status. Main does not return.
//
// The network namespace has only a loopback interface: the program cannot reach the
// machine's network, nor what listens on the machine's loopback addresses.
//
// The pid namespace is why a killed run leaves nothing behind. When its first process ends,
// the kernel kills every other process in it, also stopped ones, and removes the network
// namespaces that nothing else holds.
func Main(run func() int) {
	if Here() {
		if os.Getpid() == 1 { // the process that runAgain started
			if err := settle(); err != nil {
				fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
				os.Exit(1)
			}
		}
		os.Exit(run())
	}
	status, err := runAgain()
	if err != nil {
		fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
	}
	os.Exit(status)
}

// runAgain runs this program again in new namespaces and waits for it.
func runAgain() (status int, err error) {
	// The kernel sends Pdeathsig when the thread that forks ends (prctl(2)).
	runtime.LockOSThread()
	// Open the parent's pidfd first: if the parent ended in the meantime, another process
	// could get its pid. There is no pidfd if the parent is outside this pid namespace
	// (docker exec), or on a kernel before 5.3.
	parent, unwatched := unix.PidfdOpen(os.Getppid(), 0)
	var inside []*os.File
	if address := parallelHost(os.Args); address != "" {
		outside, control, err := controlSockets()
		if err != nil {
			return 1, fmt.Errorf("reaching Ginkgo's command at %s: %w", address, err)
		}
		go handIn(outside, address)
		inside = append(inside, control)
	}
	cmd, err := start(inside)
	for _, file := range inside {
		_ = file.Close()
	}
	if err != nil {
		return 1, fmt.Errorf("making private namespaces: %w: run as root with CAP_SYS_ADMIN, or allow more of them (sysctl user.max_user_namespaces, user.max_pid_namespaces, user.max_net_namespaces; kernel.apparmor_restrict_unprivileged_userns=0 or kernel.unprivileged_userns_clone=1 where they exist)", err)
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	if unwatched == nil {
		go func() {
			// The parent was killed: there is nobody left to report to.
			awaitDeath(parent)
			_ = cmd.Process.Kill()
		}()
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
			return 128 + int(ws.Signal()), fmt.Errorf("the program was ended by the signal %v", ws.Signal())
		}
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("waiting for the program: %w", err)
	}
	return 0, nil
}

// start starts this program in new namespaces, with some open files. It makes a user
// namespace unless the process may do without, as root may; in most containers root may
// not.
func start(files []*os.File) (*exec.Cmd, error) {
	inside := environment.Read()
	inside.Private = true
	var refused error
	for _, user := range []bool{false, true} {
		if !user && os.Geteuid() != 0 {
			continue
		}
		cmd := reexec.Again()
		cmd.Env = append(cmd.Env, inside.Variables()...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.ExtraFiles = files
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
			Pdeathsig:  unix.SIGKILL,
			// In its own process group, Ctrl-C of a terminal does not reach it twice: this
			// process passes the signal on.
			Setpgid: true,
		}
		if user {
			cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
		}
		err := cmd.Start()
		if err == nil {
			return cmd, nil
		}
		refused = err
	}
	return nil, refused
}

// awaitDeath waits until the process of a pidfd has ended.
func awaitDeath(pidfd int) {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return
		}
	}
}

// settle makes the new namespaces usable.
func settle() error {
	if err := errors.Join(ownProc(), loopbackUp()); err != nil {
		return err
	}
	if address := parallelHost(os.Args); address != "" {
		return reachOutside(address)
	}
	return nil
}

// ownProc mounts /proc for the pid namespace, so that /proc/self is this process. The rest
// of the machine does not see the mount.
func ownProc() error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc of the pid namespace: %w: a container that masks parts of /proc forbids it: run the container privileged", err)
	}
	return nil
}

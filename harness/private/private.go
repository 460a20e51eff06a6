// Package private runs a program in namespaces of its own, so that nothing it makes
// outlives it and nothing of the machine is touched.
//
// It makes no lab: that is package harness, whose Main uses it.
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

// Main runs this program again in private pid, mount and network namespaces, and, for an
// ordinary user, in a user namespace in which it is root. There it calls run and
// exits with its result; here it waits and exits with the same. Main does not return.
//
// The network has nothing but loopback: neither the machine's network nor what listens on
// the machine's loopback addresses can be reached from it.
//
// The pid namespace is what makes a killed run leave nothing behind: when its
// first process dies the kernel ends every other one in it, stopped ones too, and
// with them go the network namespaces that nothing else holds.
func Main(run func() int) {
	if Here() {
		if os.Getpid() == 1 { // the first process of the namespace that runAgain made
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

// runAgain runs this binary again in its own namespaces and waits for it.
func runAgain() (status int, err error) {
	// Pdeathsig is tied to the thread that forks (prctl(2)): this one stays.
	runtime.LockOSThread()
	// Before anything that takes time, in which it could end and be succeeded. Where it
	// is outside our pid namespace (docker exec), or the kernel is before 5.3, nobody is
	// watched.
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
			// A suite whose parent was killed has nobody to report to.
			awaitDeath(parent)
			_ = cmd.Process.Kill()
		}()
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
			return 128 + int(ws.Signal()), fmt.Errorf("the suite was ended by signal %v", ws.Signal())
		}
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("waiting for the suite: %w", err)
	}
	return 0, nil
}

// start starts this binary in new namespaces with some files open: without a user namespace
// where that is allowed (root), with one elsewhere (an ordinary user, or a root
// without capabilities as in most containers).
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
			// Its own process group: a terminal's Ctrl-C reaches it once, through us.
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
		refused = reason(err)
	}
	return nil, refused
}

// reason leaves the names of files and calls out of exec's errors.
func reason(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}

// awaitDeath returns when the process of a pidfd is gone.
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

// ownProc mounts a /proc of the pid namespace, so that /proc/self is this process.
// Mounts made here do not reach the rest of the machine.
func ownProc() error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc of the pid namespace: %w: a container that masks parts of /proc forbids it; run it privileged", err)
	}
	return nil
}

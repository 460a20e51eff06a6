package guest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// timerSlack is how late, in nanoseconds, programs may be woken from a sleep
// (prctl(2), PR_SET_TIMERSLACK; usually 50 µs). Go's runtime has a thread that sleeps
// 20 µs at a time while the program works, and an interrupt is the dearest thing in an
// emulated machine. The kernel's own timers, TCP's among them, are not concerned.
const timerSlack = 1_000_000

// run runs the command on the console to its end and returns its status, as a shell
// would. A byte on the console comes from somebody who wants the run to end: the
// command then gets SIGINT with all that it has started, as from Ctrl-C.
func run(plan *Plan) (status int, err error) {
	// No echo, no signals, no carriage returns: bytes pass as they are.
	if _, err := term.MakeRaw(int(os.Stdin.Fd())); err != nil {
		return 1, fmt.Errorf("making the console raw: %w", err)
	}
	for _, setting := range plan.Environment {
		name, value, _ := strings.Cut(setting, "=")
		if err := os.Setenv(name, value); err != nil { // exec.Command looks into PATH
			return 1, fmt.Errorf("setting %s in the environment: %w", name, err)
		}
	}
	// The new process inherits the slack of the thread that makes it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0); err != nil {
		return 1, fmt.Errorf("setting the timer slack: %w", err)
	}
	cmd := exec.Command(plan.Command[0], plan.Command[1:]...)
	cmd.Dir = plan.Directory
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("starting the command: %w", err)
	}
	go func() {
		for one := make([]byte, 1); ; {
			if n, err := os.Stdin.Read(one); n == 0 || err != nil {
				return
			}
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGINT)
		}
	}()
	how, err := await(cmd.Process.Pid)
	if err != nil {
		return 1, fmt.Errorf("waiting for %s: %w", plan.Command[0], err)
	}
	if how.Signaled() {
		return 128 + int(how.Signal()), nil
	}
	return how.ExitStatus(), nil
}

// await waits for one process and reaps, as process 1 must, every other that nobody
// else waits for.
func await(pid int) (how syscall.WaitStatus, err error) {
	for {
		ended, err := syscall.Wait4(-1, &how, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case ended == pid:
			return how, nil
		}
	}
}

package guest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/halfopen-lab/halfopen/harness/linux"
)

// timerSlack is how late, in nanoseconds, the kernel may wake programs from a sleep
// (prctl(2), PR_SET_TIMERSLACK; by default 50 µs). A thread of Go's runtime sleeps 20 µs at
// a time while the program works, and interrupts are expensive in an emulated machine. The
// kernel's own timers, such as TCP's, have no slack.
const timerSlack = 1_000_000

// run runs the commands on the console, one after another, and returns how each ended. It
// stops at a command that cannot be run, and returns the error.
func run(plan *Plan) (ended []Ended, err error) {
	// No echo, no signals, no carriage returns: bytes pass as they are.
	if _, err := term.MakeRaw(int(os.Stdin.Fd())); err != nil {
		return nil, fmt.Errorf("making the console raw: %w", err)
	}
	for _, setting := range plan.Environment {
		name, value, _ := strings.Cut(setting, "=")
		if err := os.Setenv(name, value); err != nil { // exec.Command needs PATH
			return nil, fmt.Errorf("setting %s in the environment: %w", name, err)
		}
	}
	// A process inherits the slack of the thread that forks.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("setting the timer slack: %w", err)
	}
	var end interruption
	go end.await()
	for _, command := range plan.Commands {
		if end.asked() {
			break
		}
		one, err := command.run(&end)
		if err != nil {
			return ended, err
		}
		ended = append(ended, one)
	}
	return ended, nil
}

// run runs a command to its end.
func (c Command) run(end *interruption) (Ended, error) {
	cmd, start := exec.Command(c.Arguments[0], c.Arguments[1:]...), (*exec.Cmd).Start
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.InRoot {
		cmd, start = &exec.Cmd{Path: c.Arguments[0], Args: c.Arguments}, linux.StartLimited
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Chroot: RootDirectory(0)}
	}
	cmd.Dir = c.Directory
	cmd.Env = append(os.Environ(), c.Environment...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if c.Output != "" {
		out, err := openOutput(c.Output)
		if err != nil {
			return Ended{}, fmt.Errorf("keeping what %s prints: %w", c.Arguments[0], err)
		}
		defer out.close()
		cmd.Stdout, cmd.Stderr = out.write, out.write
	}
	began := time.Now()
	if err := start(cmd); err != nil {
		return Ended{}, fmt.Errorf("starting the command: %w", err)
	}
	end.passTo(cmd.Process.Pid)
	how, err := await(cmd.Process.Pid)
	if err != nil {
		return Ended{}, fmt.Errorf("waiting for %s: %w", c.Arguments[0], err)
	}
	end.passTo(0)
	status := how.ExitStatus()
	if how.Signaled() {
		status = 128 + int(how.Signal())
	}
	return Ended{Status: status, Began: began.UTC(), Took: time.Since(began)}, nil
}

// interruption interrupts the commands when a byte comes from the console: the process
// group of the command that runs then gets SIGINT, as from Ctrl-C.
type interruption struct {
	mu      sync.Mutex
	came    bool
	command int // the process that runs; zero: none
}

// await waits for the byte.
func (i *interruption) await() {
	for one := make([]byte, 1); ; {
		if n, err := os.Stdin.Read(one); n == 0 || err != nil {
			return
		}
		i.mu.Lock()
		i.came = true
		if i.command != 0 {
			_ = unix.Kill(-i.command, unix.SIGINT)
		}
		i.mu.Unlock()
	}
}

// passTo sets the process whose group gets the signal; zero: there is none.
func (i *interruption) passTo(process int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.command = process
	if i.came && process != 0 { // the byte came while the command was being started
		_ = unix.Kill(-process, unix.SIGINT)
	}
}

// asked reports whether the byte has come.
func (i *interruption) asked() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.came
}

// await waits for a process. As process 1 must, it also reaps every process whose parent
// has ended.
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

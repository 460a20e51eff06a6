package box

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/peer"
)

// run is the box's process. It ends when every process in the box has ended.
func run(arguments []string) error {
	// The trace notes the thread that writes the mark: it must be the one that starts the
	// program.
	runtime.LockOSThread()
	if len(arguments) == 0 {
		return errors.New("the arguments are missing: the program to run, and its arguments")
	}
	var o sent
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		return fmt.Errorf("reading the order for the box: %w", err)
	}
	o.Arguments = arguments
	if o.Mark != (Mark{}) {
		if err := os.WriteFile(o.Mark.File, []byte(o.Mark.Text), 0); err != nil {
			return fmt.Errorf("marking the box in the trace: %w", err)
		}
	}
	var match *regexp.Regexp
	if o.Line != "" {
		var err error
		if match, err = regexp.Compile(o.Line); err != nil {
			return fmt.Errorf("reading the line to wait for: %w", err)
		}
	}
	enter := func() error { return enterRoot(o.Root) }
	if o.Shares {
		enter = enterFiles
	}
	if err := enter(); err != nil {
		return fmt.Errorf("making the box: %w", err)
	}
	terminal, program, err := o.start()
	if err != nil {
		peer.Report(peer.Event{Name: failed, Text: err.Error()})
		return nil
	}
	peer.Report(peer.Event{Name: started, N: program})
	read := make(chan struct{})
	go func() { reportLines(terminal, match); close(read) }()
	reap(program, read)
	<-read
	return nil
}

// start starts the program on a terminal: many programs keep output for a pipe to
// themselves until they end.
func (o Order) start() (terminal *os.File, pid int, err error) {
	user, err := account(o.User)
	if err != nil {
		return nil, 0, err
	}
	attributes := &syscall.SysProcAttr{Setsid: true, Credential: credential(user)}
	isHome := func(setting string) bool { return strings.HasPrefix(setting, "HOME=") }
	if !slices.ContainsFunc(o.Environment, isHome) {
		o.Environment = append(o.Environment, "HOME="+cmp.Or(user.Home, "/"))
	}
	terminal, theirs, err := openTerminal()
	if err != nil {
		return nil, 0, fmt.Errorf("opening a terminal: %w", err)
	}
	defer func() { _ = theirs.Close() }()
	path, err := o.lookPath()
	if err != nil {
		return nil, 0, err
	}
	cmd := &exec.Cmd{Path: path, Args: o.Arguments, Env: o.Environment, Dir: o.Directory,
		Stdin: theirs, Stdout: theirs, Stderr: theirs, SysProcAttr: attributes}
	if err := linux.LimitPrograms(); err != nil {
		return nil, 0, err
	}
	// Files that the caller has open, and has not marked as its own, are not the program's.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, 0, fmt.Errorf("keeping the caller's open files from the program: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", o.Arguments[0], peer.Reason(err))
	}
	return terminal, cmd.Process.Pid, nil
}

// lookPath finds the program in the PATH that it is given.
func (o Order) lookPath() (string, error) {
	for _, setting := range o.Environment {
		if path, ok := strings.CutPrefix(setting, "PATH="); ok {
			if err := os.Setenv("PATH", path); err != nil {
				return "", err
			}
		}
	}
	name := o.Arguments[0]
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(o.Directory, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.Arguments[0], peer.Reason(err))
	}
	return path, nil
}

// reap waits until no process is left, and reports how the program ended: after its
// output, which has been read when read is closed, unless other processes may still write.
func reap(program int, read <-chan struct{}) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return // ECHILD: all have ended
		case pid == program:
			at, left := time.Now(), others()
			if left == 0 {
				<-read
			}
			peer.Report(peer.Event{At: at, Name: exited, Text: describe(status), N: left})
		}
	}
}

// describe returns how a process ended, in the words of os.ProcessState.
func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

// others returns how many processes run in the box beside the box's own.
func others() (n int) {
	all, _ := processes() // without /proc, none
	for _, pid := range all {
		if pid != 1 && !ended(pid) {
			n++
		}
	}
	return n
}

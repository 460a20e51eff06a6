package contained

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/peer"
)

const (
	// mostLines is how many lines of the program are told, and longest how much of
	// each.
	mostLines = 200
	longest   = 400
)

// run is the box. It ends when every process in it has.
func run(arguments []string) error {
	// The mark notes the thread that writes it, from which those must come that the program
	// is made of.
	runtime.LockOSThread()
	if len(arguments) == 0 {
		return errors.New("arguments are needed: the command")
	}
	var o Order
	if err := json.Unmarshal([]byte(os.Getenv(variable)), &o); err != nil {
		return fmt.Errorf("reading the order for the box: %w", err)
	}
	o.Command = arguments
	if err := os.WriteFile(o.Mark.File, []byte(o.Mark.Text), 0); err != nil {
		return fmt.Errorf("making itself known in the trace: %w", err)
	}
	if err := enterRoot(); err != nil {
		return fmt.Errorf("making the box: %w", err)
	}
	terminal, program, err := o.start()
	if err != nil {
		peer.Report(peer.Event{Name: Failed, Text: err.Error()})
		return nil
	}
	peer.Report(peer.Event{Name: Started, N: program})
	read := make(chan struct{})
	go func() { tell(terminal); close(read) }()
	reap(program, read)
	<-read
	return nil
}

// start starts the program on a terminal: what it writes to a pipe a program may keep
// for itself until it ends.
func (o Order) start() (terminal *os.File, pid int, err error) {
	for _, d := range o.Make {
		if err := d.make(); err != nil {
			return nil, 0, err
		}
	}
	attributes := &syscall.SysProcAttr{Setsid: true}
	if o.User != "" && o.User != "root" {
		u, err := look(o.User)
		if err != nil {
			return nil, 0, err
		}
		attributes.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid}
	}
	terminal, theirs, err := openTerminal()
	if err != nil {
		return nil, 0, fmt.Errorf("opening a terminal: %w", err)
	}
	defer func() { _ = theirs.Close() }()
	path, err := o.find()
	if err != nil {
		return nil, 0, err
	}
	cmd := &exec.Cmd{Path: path, Args: o.Command, Env: o.Environment, Dir: o.Directory,
		Stdin: theirs, Stdout: theirs, Stderr: theirs, SysProcAttr: attributes}
	if err := cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", o.Command[0], reason(err))
	}
	return terminal, cmd.Process.Pid, nil
}

// find looks for the program along the PATH that it gets.
func (o Order) find() (string, error) {
	for _, setting := range o.Environment {
		if path, ok := strings.CutPrefix(setting, "PATH="); ok {
			if err := os.Setenv("PATH", path); err != nil {
				return "", err
			}
		}
	}
	name := o.Command[0]
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(o.Directory, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.Command[0], reason(err))
	}
	return path, nil
}

func reason(err error) error {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	if inner, ok := errors.AsType[*exec.Error](err); ok {
		return inner.Err
	}
	return err
}

func (d Directory) make() error {
	mode := os.FileMode(d.Mode)
	if mode == 0 {
		mode = 0o755
	}
	if err := os.MkdirAll(d.Path, 0o755); err != nil {
		return fmt.Errorf("making the directory %s: %w", d.Path, err)
	}
	if err := os.Chmod(d.Path, mode); err != nil {
		return fmt.Errorf("making the directory %s: %w", d.Path, err)
	}
	if d.User == "" {
		return nil
	}
	u, err := look(d.User)
	if err != nil {
		return fmt.Errorf("making the directory %s: %w", d.Path, err)
	}
	return os.Chown(d.Path, int(u.uid), int(u.gid))
}

// openTerminal opens a pseudoterminal (pty(7)) that passes on what is written as it is.
func openTerminal() (ours, theirs *os.File, err error) {
	ours, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	theirs, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	state, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
	if err != nil {
		return nil, nil, err
	}
	state.Lflag &^= unix.ECHO
	state.Oflag &^= unix.OPOST
	return ours, theirs, unix.IoctlSetTermios(int(theirs.Fd()), unix.TCSETS, state)
}

// tell reports the lines that come from the terminal until nobody has it open (EIO).
func tell(terminal *os.File) {
	lines := bufio.NewReaderSize(terminal, longest)
	for n := 0; ; {
		text, err := lines.ReadSlice('\n')
		if line := strings.TrimSpace(strings.ToValidUTF8(string(text), "?")); line != "" {
			switch n++; {
			case n <= mostLines:
				peer.Report(peer.Event{Name: Wrote, Text: line})
			case n == mostLines+1:
				peer.Report(peer.Event{Name: Flooded, N: mostLines})
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// reap waits until no process is left, and reports how the program ended: after what it
// has written, which is read when told is closed, unless others may still write.
func reap(program int, told <-chan struct{}) {
	for {
		var how syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &how, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return // ECHILD: all are gone
		case pid == program:
			at, others := time.Now(), left()
			if others == 0 {
				<-told
			}
			peer.Report(peer.Event{At: at, Name: Exited, Text: words(how), N: others})
		}
	}
}

// words is how a process ended, as os.ProcessState says it.
func words(how syscall.WaitStatus) string {
	if how.Signaled() {
		return "signal: " + how.Signal().String()
	}
	return "exit status " + strconv.Itoa(how.ExitStatus())
}

// left is how many processes there are in the box beside this one.
func left() (n int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && pid != 1 && !ended(pid) {
			n++
		}
	}
	return n
}

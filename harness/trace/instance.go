package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// tracefs is where the kernel's trace events are (Documentation/trace/ftrace.rst).
const tracefs = "/sys/kernel/tracing"

// Instance is the directory of the trace buffer. There is one for each kernel, so that two
// runs on one kernel, whose connections have the same ports, cannot take each other's
// events for their own.
const Instance = tracefs + "/instances/halfopen"

// Marker is the file to write a mark to.
const Marker = Instance + "/trace_marker"

// remover is the process that removes the trace buffer when its standard input ends: also
// after every other process was killed.
const remover reexec.Name = "trace-buffer"

func init() { reexec.Register(remover, func([]string) error { return remove(os.Stdin) }) }

// Hold makes the trace buffer Instance on the running kernel. It is there until release is
// called, or this process has ended in any way. It is an error when the buffer is there
// already.
func Hold() (release func() error, err error) {
	failed := func(err error, remedy string) error {
		return fmt.Errorf("making a trace buffer: %w: %s", err, remedy)
	}
	switch err := os.Mkdir(Instance, 0o755); {
	case errors.Is(err, fs.ErrExist):
		return nil, failed(err, "another audit measures on this kernel: wait for it, or, if there is none, rmdir "+Instance)
	case errors.Is(err, fs.ErrNotExist):
		return nil, failed(err, "mount tracefs (mount -t tracefs tracefs "+tracefs+"), or measure in virtual time (without --host)")
	case err != nil:
		return nil, failed(err, "a kernel with CONFIG_FTRACE is needed; measure in virtual time (without --host)")
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.Remove(Instance))
	}
	defer func() { _ = read.Close() }()
	cmd := reexec.Command(remover)
	cmd.Stdin, cmd.Stderr = read, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil, errors.Join(fmt.Errorf("making a trace buffer: starting the process that removes it: %w", err), os.Remove(Instance))
	}
	return func() error {
		_ = write.Close()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("removing the trace buffer %s: %w", Instance, err)
		}
		return nil
	}, nil
}

// removeLimit is how long the readers of a buffer may take to end: the kernel does not
// remove a buffer that is being read (EBUSY).
const removeLimit = 30 * time.Second

// remove waits until holders ends, and removes the trace buffer.
func remove(holders io.Reader) error {
	if _, err := io.Copy(io.Discard, holders); err != nil {
		return err
	}
	for until := time.Now().Add(removeLimit); ; time.Sleep(50 * time.Millisecond) {
		err := os.Remove(Instance)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(until) {
			return err
		}
	}
}

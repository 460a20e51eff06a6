package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/measuring"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/environment"
)

// Host is the running kernel, for one audit in real time.
type Host struct {
	Plan     *plan.Plan
	Report   string // the directory that receives what is left behind
	Progress io.Writer
}

// patience is how long the measuring may take to end when it is asked to.
const patience = 30 * time.Second

// Run carries the plan out in namespaces of its own, which vanish with it, and returns the
// answer, as Guest.Run does.
func (h *Host) Run(ctx context.Context) (a *answer.Answer, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("measuring on the running kernel needs root, because nobody else may read its trace of sockets (tracefs): run it as root, or in virtual time (without --host)")
	}
	if err := harness.EmptyReport(h.Report); err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	content, err := json.Marshal(h.Plan)
	if err != nil {
		return nil, err
	}
	release, err := holdInstance()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", Measure, "/dev/stdin", h.Report)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(content), &progress{to: h.Progress}, os.Stderr
	cmd.Env = append(os.Environ(), environment.Settings{Report: h.Report}.Variables()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGINT) }
	cmd.WaitDelay = patience
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // a terminal's Ctrl-C is for us: we ask it to end
		Pdeathsig: unix.SIGKILL,
	}
	runtime.LockOSThread() // to which the signal of our death is tied (prctl(2))
	defer runtime.UnlockOSThread()
	how := "ended well"
	if err := cmd.Run(); err != nil {
		how = "ended with " + err.Error()
	}
	return read(ctx, h.Report, how)
}

// RemoveInstance is the hidden command that removes the audit's trace buffer when nobody
// holds its standard input any more: also after everybody else was killed.
const RemoveInstance = "remove-trace-buffer"

// holdInstance makes the audit's trace buffer, which is there until it is released, or
// this process is gone.
func holdInstance() (release func() error, err error) {
	failed := func(err error, remedy string) error {
		return fmt.Errorf("making a trace buffer: %w: %s", err, remedy)
	}
	switch err := os.Mkdir(measuring.Instance, 0o755); {
	case errors.Is(err, fs.ErrExist):
		return nil, failed(err, "another audit measures on this kernel: wait for it, or, if there is none, rmdir "+measuring.Instance)
	case errors.Is(err, fs.ErrNotExist):
		return nil, failed(err, "mount tracefs (mount -t tracefs tracefs "+filepath.Dir(filepath.Dir(measuring.Instance))+"), or measure in virtual time (without --host)")
	case err != nil:
		return nil, failed(err, "a kernel with CONFIG_FTRACE is needed; measure in virtual time (without --host)")
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.Remove(measuring.Instance))
	}
	defer func() { _ = read.Close() }()
	cmd := exec.Command("/proc/self/exe", RemoveInstance)
	cmd.Stdin, cmd.Stderr = read, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil, errors.Join(failed(err, "this program must be able to start itself"), os.Remove(measuring.Instance))
	}
	return func() error {
		_ = write.Close()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("removing the trace buffer %s: %w", measuring.Instance, err)
		}
		return nil
	}, nil
}

// RemovingInstance is the command RemoveInstance. The kernel does not remove a buffer that
// somebody reads, and those who do may still be on their way out.
func RemovingInstance(holders io.Reader) error {
	if _, err := io.Copy(io.Discard, holders); err != nil {
		return err
	}
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := os.Remove(measuring.Instance)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(until) {
			return err
		}
	}
}

package gotest

import (
	"context"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long what has been asked to end may take: Ginkgo gives each spec
// that runs, and then each of its clean-ups, half a minute.
const patience = 2 * time.Minute

// inGroup is a command in a process group of its own. A terminal's Ctrl-C is for this
// process; when ctx ends, the signal goes to the command and all that it has started,
// once.
func inGroup(ctx context.Context, signal syscall.Signal, name string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, signal) }
	cmd.WaitDelay = patience
	return cmd
}

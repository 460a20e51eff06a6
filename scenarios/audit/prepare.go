package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// preparation is what is done in a root before any program starts.
type preparation struct {
	Root        string // the directory that is the root; empty: the measuring process's own
	Files       []laid
	Commands    []string // for a shell
	Directory   string   // where they are started
	Environment []string // of the commands, as NAME=VALUE
}

// laid is a file that is laid over a root.
type laid struct {
	Name    string
	Content []byte
}

// prepareEnds is how long a prepared command's children may keep its output open.
const prepareEnds = 100 * time.Millisecond

// prepare prepares a root.
func (p preparation) prepare(ctx context.Context) error {
	for _, file := range p.Files {
		if err := guest.Lay(p.Root, file.Name, file.Content); err != nil {
			return fmt.Errorf("laying %s over the guest's root: %w", file.Name, err)
		}
	}
	for _, command := range p.Commands {
		if err := p.run(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

// run runs a shell command in the root.
func (p preparation) run(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Env, cmd.Dir = p.Environment, p.Directory
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: p.Root}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, prepareEnds
	err := linux.StartLimited(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("preparing the guest: %s: %w: %s", command, err, strings.TrimSpace(out.String()))
	}
	return nil
}

package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// run runs programs side by side, the output of each the input of the next, and waits
// for all. When ctx ends, they end with all that they have started; when this process
// dies they do so too, however it dies.
func run(ctx context.Context, programs ...*exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g, err := newGroup()
	if err != nil {
		return err
	}
	defer g.end()
	if err := g.start(programs); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, g.kill)
	defer stop()
	var failed error
	for _, p := range programs {
		err := p.Wait()
		if err == nil || failed != nil && !brokenPipe(failed) {
			continue
		}
		failed = fmt.Errorf("%s: %w", p.Args[0], err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return failed
}

// brokenPipe says whether a program ended because a later one no longer read.
func brokenPipe(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == unix.SIGPIPE
}

// group is a process group that ends with this process.
type group struct {
	watcher *exec.Cmd // leads the group and ends it when life closes
	life    *os.File  // closes when this process dies
}

func newGroup() (*group, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	watcher := exec.Command("/bin/sh", "-c", "read -r _; kill -KILL 0")
	watcher.Stdin = r
	watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := watcher.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a shell: %w", err), w.Close())
	}
	return &group{watcher, w}, nil
}

// start starts the programs in the group. When one cannot be started, none runs on.
func (g *group) start(programs []*exec.Cmd) error {
	var input *os.File
	for i, p := range programs {
		var output *os.File
		if input != nil {
			p.Stdin = input
		}
		if i < len(programs)-1 {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			defer func() { _ = r.Close() }()
			p.Stdout, output, input = w, w, r
		}
		p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: g.watcher.Process.Pid}
		err := p.Start()
		if output != nil {
			_ = output.Close() // the program has it
		}
		if err != nil {
			g.kill()
			for _, started := range programs[:i] {
				_ = started.Wait()
			}
			return fmt.Errorf("starting %s: %w", p.Args[0], err)
		}
	}
	return nil
}

// kill ends everything in the group. Nothing there has anything to tidy up: the
// directory that it works in is removed afterwards.
func (g *group) kill() { _ = unix.Kill(-g.watcher.Process.Pid, unix.SIGKILL) }

// end ends what is left in the group.
func (g *group) end() {
	g.kill()
	_ = g.life.Close()
	_ = g.watcher.Wait() // it was killed
}

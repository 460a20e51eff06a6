package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// run runs a pipeline of programs and waits for all of them. It ends them and all their
// children when ctx ends. They also end when this process dies, even by SIGKILL.
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

// brokenPipe reports whether a program ended because a later one stopped reading.
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

	mu    sync.Mutex
	ended bool // another group may have its number now
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
	return &group{watcher: watcher, life: w}, nil
}

// start starts the programs in the group. If one cannot be started, it ends the others.
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
			_ = output.Close() // the program has a copy
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

// kill kills all processes of the group. They have nothing to clean up: the caller removes
// their directory.
func (g *group) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		_ = unix.Kill(-g.watcher.Process.Pid, unix.SIGKILL)
	}
}

// end kills the remaining processes of the group, and its watcher.
func (g *group) end() {
	g.kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	_ = g.life.Close()
	_ = g.watcher.Wait() // it was killed
}

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fault is something that goes wrong around a command.
type fault struct {
	name string
	// wrapper is a command that starts the one that is disturbed; nil: none.
	wrapper func(random *rand.Rand) []string
	// strike happens at the instant; process is the command's. undo happens afterwards.
	strike func(h *house, s *subject, process int, random *rand.Rand) (undo func() error, err error)
	// harmless reports that the command must succeed nevertheless.
	harmless bool
}

// faults returns all of them.
func (h *house) faults() []fault {
	processes := fault{name: "few processes", wrapper: fewProcesses}
	if h.group != "" {
		processes = fault{name: "no more processes", strike: func(h *house, _ *subject, _ int, _ *rand.Rand) (func() error, error) {
			return exhaust(h.group, others())
		}}
	}
	return append(always, processes)
}

// always are the faults that any user can make.
var always = []fault{
	{name: "SIGKILL", strike: func(_ *house, _ *subject, process int, _ *rand.Rand) (func() error, error) {
		return nil, unix.Kill(process, unix.SIGKILL)
	}},
	{name: "SIGKILL to its group", strike: func(_ *house, _ *subject, process int, _ *rand.Rand) (func() error, error) {
		return nil, unix.Kill(-process, unix.SIGKILL)
	}},
	{name: "SIGTERM", strike: func(_ *house, _ *subject, process int, _ *rand.Rand) (func() error, error) {
		return nil, unix.Kill(process, unix.SIGTERM)
	}},
	{name: "SIGSTOP, SIGCONT after 2 s", harmless: true, strike: func(_ *house, _ *subject, process int, _ *rand.Rand) (func() error, error) {
		if err := unix.Kill(process, unix.SIGSTOP); err != nil {
			return nil, err
		}
		time.Sleep(2 * time.Second)
		return nil, unix.Kill(process, unix.SIGCONT)
	}},
	{name: "the disk of its report is full", strike: func(_ *house, s *subject, _ int, _ *rand.Rand) (func() error, error) { return fill(s.report) }},
	{name: "the disk of temporary files is full", strike: func(h *house, _ *subject, _ int, _ *rand.Rand) (func() error, error) { return fill(h.temporary()) }},
	{name: "the cache is read-only", strike: func(h *house, _ *subject, _ int, _ *rand.Rand) (func() error, error) {
		at := filepath.Join(h.cache(), "halfopen")
		if err := remount(at, unix.MS_RDONLY); err != nil {
			return nil, err
		}
		return func() error { return remount(at, 0) }, nil
	}},
	{name: "the clock is stepped", harmless: true, strike: func(h *house, _ *subject, _ int, random *rand.Rand) (func() error, error) {
		return func() error { return step(h.clock(), 0) }, step(h.clock(), anyStep(random))
	}},
	{name: "few descriptors", wrapper: func(random *rand.Rand) []string {
		most := strconv.Itoa(8 + random.IntN(120))
		return []string{"sh", "-c", "ulimit -n " + most + ` && exec "$@"`, "sh"}
	}},
}

// fill mounts a disk without room over a directory. What is open stays on the one below.
func fill(directory string) (undo func() error, err error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", directory, "tmpfs", 0, "size=4k,nr_inodes=3"); err != nil {
		return nil, fmt.Errorf("filling %s: %w", directory, err)
	}
	return func() error { return unix.Unmount(directory, unix.MNT_DETACH) }, nil
}

func remount(at string, flags uintptr) error {
	if err := unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|flags, ""); err != nil {
		return fmt.Errorf("mounting %s again: %w", at, err)
	}
	return nil
}

// patience is how long a command may take, beside what it takes undisturbed.
const patience = 2 * time.Minute

// inject runs a command, breaks something at an instant, and looks afterwards.
func (h *house) inject(ctx context.Context, s *subject, f fault, after time.Duration, random *rand.Rand) error {
	limited, cancel := context.WithTimeout(ctx, s.takes+patience)
	defer cancel()
	var wrapper []string
	if f.wrapper != nil {
		wrapper = f.wrapper(random)
	}
	cmd := h.start(limited, s, wrapper)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var failed error
	done := false
	select {
	case failed = <-ended:
		done = true
	case <-time.After(after):
	}
	undo := func() error { return nil }
	if f.strike != nil && !done {
		back, err := f.strike(h, s, cmd.Process.Pid, random)
		if err != nil && err != unix.ESRCH { // it has just ended
			return err
		}
		if back != nil {
			undo = back
		}
	}
	if !done {
		failed = <-ended
	}
	if err := undo(); err != nil {
		return err
	}
	if limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("it has not ended %v later: %s", patience, lastLine(output.String()))
	}
	if f.harmless && failed != nil {
		return fmt.Errorf("it failed: %w: %s", failed, lastLine(output.String()))
	}
	if strings.Contains(output.String(), "goroutine ") {
		return fmt.Errorf("it panicked: %s", lastLine(output.String()))
	}
	if err := h.settled(s); err != nil {
		return err
	}
	if out, err := h.start(ctx, s, nil).CombinedOutput(); err != nil {
		return fmt.Errorf("the next run failed: %w: %s", err, lastLine(string(out)))
	}
	return h.settled(s)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

package virtual

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// CheckMemory says which memory, in MiB, no guest can be given.
func CheckMemory(memory int) error {
	if memory < 256 || memory > 1<<16 {
		return fmt.Errorf("%d MiB of memory for each guest: choose from 256 to 65536", memory)
	}
	return nil
}

// InitFile is the file of process 1 in a guest.
const InitFile = "/init"

// Guest is a machine that runs commands, one after another.
type Guest struct {
	Machine  Machine
	Files    *Files // the root file system; /init is harness/virtual/guest/init, built without cgo
	Memory   int    // MiB
	Seed     uint64 // decides everything random
	Commands []guest.Command
	// Settings are what the commands' labs go by, and Environment is NAME=VALUE. Both are
	// part of every command's environment, with what a guest has anyway (Environment).
	Settings    environment.Settings
	Environment []string

	// Roots are root file systems for programs (guest.RootDirectory), apart from Files.
	Roots []*guest.Root

	// Report is the directory of the guest that is handed out when the last command has
	// ended, and Into the host's one that receives it.
	Report, Into string
	// Changes receives what the commands have changed in the first of Roots, as a layer (guest.Layer).
	// Nil: nobody does.
	Changes io.Writer
	// Console takes what the guest prints while it runs. It must be quick: while it
	// is not, the guest may have to wait. Nil throws it away.
	Console io.Writer
	// Silence is how long, in real time, the guest may print nothing before it counts
	// as hanging; zero means ten minutes.
	Silence time.Duration
}

// defaultSilence is long enough for days of idle virtual time.
const defaultSilence = 10 * time.Minute

// patience is how long, in real time, a guest may print nothing when its run is to end
// early. While it still prints, which on a busy machine may take minutes, its report
// is on the way.
const patience = 30 * time.Second

// Run runs the commands to their end and brings the report and the exit statuses out.
//
// When ctx ends, the command that runs gets SIGINT, no other is started, and the report
// still comes out, unless the guest then prints nothing for half a minute; the error is
// ctx's. Any other error means that the machine, not a command, failed.
func (g *Guest) Run(ctx context.Context) (Result, error) {
	initramfs, err := unnamed()
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = initramfs.Close() }()
	if err := g.writeInitramfs(initramfs); err != nil {
		return Result{}, err
	}
	report, err := unnamed()
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = report.Close() }()

	screen := &console{to: g.Console, heard: time.Now()}
	began := time.Now()
	used, ended := g.runMachine(ctx, initramfs, report, screen)
	result := Result{Kernel: g.Machine.Kernel(), Wall: time.Since(began), CPU: used.time, Memory: used.memory}
	if _, err := report.Seek(0, io.SeekStart); err != nil { // the machine may have moved it
		return result, err
	}
	outcome, err := receive(report, g.Memory, g.Into, g.Changes)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) { // the guest has nothing to do with it
		return result, err
	}
	if err != nil && isFull(os.TempDir()) { // where the machine writes the report
		return result, fmt.Errorf("receiving the report in %s: %w", os.TempDir(), unix.ENOSPC)
	}
	if err != nil {
		return result, g.explain(cmp.Or(ended, err), screen)
	}
	result.Commands = outcome.Commands
	result.Booted = time.Duration(outcome.Booted * float64(time.Second))
	result.Virtual = time.Duration(outcome.Seconds * float64(time.Second))
	if outcome.Trouble != "" {
		return result, g.explain(errors.New(outcome.Trouble), screen)
	}
	if trouble := screen.Trouble(); trouble != "" {
		return result, g.explain(errors.New(trouble), screen)
	}
	return result, ended
}

// unnamed makes a file without a name, which is gone with the last process that has it
// open, however that ends.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "halfopen-guest-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// isFull reports whether a directory's file system has no room left.
func isFull(directory string) bool {
	var s unix.Statfs_t
	return unix.Statfs(directory, &s) == nil && s.Bavail == 0
}

func (g *Guest) explain(err error, screen *console) error {
	if trouble := screen.Trouble(); trouble != "" {
		err = errors.New(trouble)
	}
	err = fmt.Errorf("the guest (%s, %d MiB): %w", g.Machine.Kernel(), g.Memory, err)
	if last := screen.Last(); last != "" {
		err = fmt.Errorf("%w; its console ends with:\n%s", err, last)
	}
	return err
}

// runMachine runs the machine to its end, and returns what it used.
func (g *Guest) runMachine(ctx context.Context, initramfs, report *os.File, screen *console) (used usage, err error) {
	cmd, err := g.Machine.Command(g.Memory)
	if err != nil {
		return usage{}, err
	}
	core, release, err := takeCore()
	if err != nil {
		return usage{}, err
	}
	defer release()
	fromGuest, screenEnd, err := os.Pipe()
	if err != nil {
		return usage{}, err
	}
	defer func() { _ = fromGuest.Close() }()
	// While the pipe is full the guest's serial port is busy, which would be seen in
	// its clock. Users may have this much (pipe(7), /proc/sys/fs/pipe-max-size).
	_, _ = unix.FcntlInt(screenEnd.Fd(), unix.F_SETPIPE_SZ, 1<<20)
	keyboardEnd, toGuest, err := os.Pipe()
	if err != nil {
		return usage{}, errors.Join(err, screenEnd.Close())
	}
	defer func() { _ = toGuest.Close() }()

	cmd.Stdin, cmd.Stdout, cmd.Stderr = keyboardEnd, screenEnd, screenEnd
	cmd.ExtraFiles = []*os.File{ReportFD - 3: report, InitramfsFD - 3: initramfs}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		err := startOn(core, cmd)
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	err = <-started
	_, _ = keyboardEnd.Close(), screenEnd.Close()
	if err != nil {
		return usage{}, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	if err := limit(cmd.Process.Pid, g.Memory); err != nil {
		_ = cmd.Process.Kill()
		return usage{}, errors.Join(err, <-ended)
	}
	read := make(chan struct{})
	go func() { _, _ = io.Copy(screen, fromGuest); close(read) }()
	defer func() { <-read }()
	silence := g.Silence
	if silence == 0 {
		silence = defaultSilence
	}
	for waiting := true; waiting; {
		select {
		case err := <-ended:
			return usageOf(cmd), machineError(cmd, err)
		case <-ctx.Done():
			waiting = false
		case <-time.After(time.Second):
			if quiet := screen.Quiet(); quiet > silence {
				_ = cmd.Process.Kill()
				<-ended
				return usageOf(cmd), fmt.Errorf("it has printed nothing for %v of real time: it hangs, or what it runs keeps its processor busy", quiet.Round(time.Second))
			}
		}
	}
	_, _ = toGuest.Write([]byte{3}) // as Ctrl-C on its console
	for asked := time.Now(); ; {
		select {
		case <-ended:
			return usageOf(cmd), context.Cause(ctx)
		case <-time.After(time.Second):
			if min(time.Since(asked), screen.Quiet()) > patience {
				_ = cmd.Process.Kill()
			}
		}
	}
}

// limit lets a machine open as many files as this machine allows, since a file of Guest.Roots
// takes one for as long as the guest's kernel remembers it. It keeps the machine from writing
// more than twice its memory: its report, and what its commands have changed.
func limit(pid, memory int) error {
	var files unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &files); err != nil {
		return fmt.Errorf("reading how many files the guest may open: %w", err)
	}
	files.Cur = files.Max
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &files, nil); err != nil {
		return fmt.Errorf("letting the guest open %d files: %w", files.Max, err)
	}
	most := uint64(memory) << 21
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: most}, nil); err != nil {
		return fmt.Errorf("limiting what the guest may write to %d bytes: %w", most, err)
	}
	return nil
}

// usage is what a machine took of the one that it ran on.
type usage struct {
	time   time.Duration // of a processor
	memory int64         // bytes, at most
}

func usageOf(cmd *exec.Cmd) usage {
	u := usage{time: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = r.Maxrss << 10 // getrusage(2): KiB
	}
	return u
}

func machineError(cmd *exec.Cmd, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

// writeInitramfs writes the file system of the guest, with what process 1 is to do and
// what the machine needs.
func (g *Guest) writeInitramfs(to io.Writer) error {
	files := g.Files.Clone()
	plan := guest.Plan{Seed: g.Seed, Environment: slices.Concat(Environment(g.Memory, g.Settings), g.Environment), Commands: g.Commands, Report: g.Report,
		Roots: g.Roots, KeepChanges: g.Changes != nil}
	if err := g.Machine.Equip(files, &plan); err != nil {
		return err
	}
	content, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	files.Write(guest.PlanFile, content, 0o644)
	return files.archive(to)
}

package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// endLimit is how long the measuring process may take to end when it is asked to.
const endLimit = 30 * time.Second

// runOnHost carries the audit out on the running kernel, in a process with namespaces of its
// own, which vanish with it.
func runOnHost(ctx context.Context, r Request, held *report.Directory) (a *answer.Answer, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("measuring on the running kernel needs root: the kernel lets nobody else read its trace of sockets (tracefs): run it as root, or in virtual time (without --host)")
	}
	places := r.places()
	for _, p := range places {
		p.find, p.environment = root.HostCommand, ofSystem
	}
	p, err := newPlan(r, places)
	if err != nil {
		return nil, err
	}
	if err := held.Empty(); err != nil {
		return nil, fmt.Errorf("%w (--report)", err)
	}
	content, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	release, err := trace.Hold()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	r.tell(Progress{Stage: Measuring})
	cmd := reexec.Command(measuring, "/dev/stdin", r.Report)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(content), &stream{each: r.tell}, os.Stderr
	cmd.Env = append(cmd.Env, environment.Settings{Report: r.Report}.Variables()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // a terminal's Ctrl-C is for this process, which asks the other to end
		Pdeathsig: unix.SIGKILL,
	}
	runtime.LockOSThread() // Pdeathsig is tied to the thread that starts the process (prctl(2))
	defer runtime.UnlockOSThread()
	how := "ended"
	if err := runUntil(ctx, cmd); err != nil {
		how = "ended with " + err.Error()
	}
	a, err = readAnswer(ctx, r.Report, how)
	if err == nil {
		r.tell(Progress{Stage: Finished})
	}
	return a, err
}

// runUntil runs a command to its end. When ctx ends earlier, it asks the command to end
// (SIGINT), and kills it if it has not ended within endLimit.
func runUntil(ctx context.Context, cmd *exec.Cmd) error {
	cmd.WaitDelay = endLimit
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	defer close(ended)
	defer context.AfterFunc(ctx, func() {
		_ = cmd.Process.Signal(unix.SIGINT) // it may have ended
		select {
		case <-ended:
		case <-time.After(endLimit):
			_ = cmd.Process.Kill()
		}
	})()
	return cmd.Wait()
}

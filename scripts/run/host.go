package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// hostProcs are as many test processes as wait at once on the running kernel without
// being in each other's way.
const hostProcs = 32

// Host runs the suites on the running kernel, to their end or until ctx ends, and
// returns Ginkgo's report. Failed specs are no error, and neither is that ctx has
// ended: Ginkgo then ends the specs and still writes the report. That there is no
// report is one, and that no spec has run.
func (s Suites) Host(ctx context.Context) ([]types.Report, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	path := s.Path
	if path == "" {
		path = "./suites"
	}
	ginkgo, err := Ginkgo(ctx)
	if err != nil {
		return nil, err
	}
	order, remove, err := writeOrder(shard.Order{Only: s.Only})
	if err != nil {
		return nil, err
	}
	defer remove()
	cmd := inGroup(ctx, unix.SIGINT, ginkgo, append(s.arguments(), path)...)
	cmd.Env = append(os.Environ(), s.environment(s.Report, order).Variables()...)
	cmd.Stdout, cmd.Stderr = s.Output, s.Output
	// When this process is killed Ginkgo is as well, and the test processes with it
	// (harness/private). The signal is tied to the thread that starts it (prctl(2)).
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ended := cmd.Run()
	if _, red := errors.AsType[*exec.ExitError](ended); ended != nil && !red && ctx.Err() == nil {
		return nil, fmt.Errorf("starting the suites: %w", ended)
	}
	reports, err := shard.Read(s.Report)
	if err != nil {
		how := "status 0"
		if ended != nil {
			how = ended.Error()
		}
		return nil, fmt.Errorf("the suites left no report, and Ginkgo ended with %s: %w", how, err)
	}
	return reports, ran(s.Focus, reports)
}

// arguments are those of Ginkgo's command.
func (s Suites) arguments() []string {
	arguments := []string{
		fmt.Sprintf("-procs=%d", cmp.Or(s.Procs, hostProcs)), fmt.Sprintf("-seed=%d", s.Seed),
		"-randomize-all", "-keep-going", "-silence-skips", "-fail-on-pending",
		"-output-dir=" + s.Report, "-json-report=" + shard.JSONFile, "-junit-report=" + shard.JUnitFile}
	if s.Focus != "" {
		arguments = append(arguments, "-focus="+s.Focus)
	}
	if !s.Colour {
		arguments = append(arguments, "-no-color")
	}
	return arguments
}

// Ginkgo is the file of Ginkgo's command, which is built if need be. `go tool` would
// stand between it and us, and pass each signal on that it has got already.
func Ginkgo(ctx context.Context) (string, error) {
	cmd := inGroup(ctx, unix.SIGINT, "go", "tool", "-n", "ginkgo")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("building Ginkgo: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

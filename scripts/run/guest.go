package run

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// DefaultMemory is the guest's memory in MiB: a test process takes some 40.
const DefaultMemory = 2048

// WallFile is the one file of a report in virtual time that is not the same, byte for
// byte, for the same seed.
const WallFile = "wall.json"

// Virtual runs the suites in a guest with virtual time, to their end or until ctx
// ends, and returns Ginkgo's report and what the guest took. As with Host, failed
// specs are no error.
func (s Suites) Virtual(ctx context.Context) ([]types.Report, virtual.Result, error) {
	if err := s.Check(); err != nil {
		return nil, virtual.Result{}, err
	}
	directory, err := os.MkdirTemp("", "halfopen-virtual-")
	if err != nil {
		return nil, virtual.Result{}, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	guest, err := s.guest(ctx, directory)
	if err != nil {
		return nil, virtual.Result{}, err
	}
	result, err := guest.Run(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, result, err
	}
	reports, readErr := Read(s.Report)
	if readErr != nil {
		return nil, result, fmt.Errorf("the suites left no report (%w): %w", err, readErr)
	}
	return reports, result, writeWall(s.Report, result)
}

// writeWall writes the figures that differ from run to run.
func writeWall(directory string, result virtual.Result) error {
	content, err := json.MarshalIndent(struct {
		WallSeconds      float64 `json:"wall_seconds"`
		ProcessorSeconds float64 `json:"processor_seconds"`
		VirtualSeconds   float64 `json:"virtual_seconds"`
		BootSeconds      float64 `json:"virtual_boot_seconds"`
	}{result.Wall.Seconds(), result.CPU.Seconds(), result.Virtual.Seconds(), result.Booted.Seconds()}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, WallFile), append(content, '\n'), 0o644)
}

// programs are what is built for the guest, and from what.
var programs = []struct {
	name  string
	build []string // arguments of the go command
}{
	{"init", []string{"build", "./harness/virtual/guest/init"}},
	{"ginkgo", []string{"build", "github.com/onsi/ginkgo/v2/ginkgo"}},
	{"suites.test", []string{"test", "-c", "./suites"}},
}

// guest makes the guest: its programs, its kernel, its files.
func (s Suites) guest(ctx context.Context, directory string) (*virtual.Guest, error) {
	files := &virtual.Files{}
	if err := addDebian(ctx, files); err != nil {
		return nil, err
	}
	for _, p := range programs {
		file := filepath.Join(directory, p.name)
		if err := compile(ctx, file, p.build); err != nil {
			return nil, err
		}
		if err := files.Copy("/suites/"+p.name, file); err != nil {
			return nil, err
		}
	}
	kernel, err := findKernel(ctx, s.Kernel)
	if err != nil {
		return nil, err
	}
	memory := s.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	const report = "/report"
	return &virtual.Guest{
		Kernel: kernel, Init: filepath.Join(directory, "init"), Files: files,
		Memory: memory, Seed: uint64(s.Seed),
		Command: append(append([]string{"./ginkgo"}, s.arguments(report)...), "./suites.test"), Dir: "/suites",
		Env: append(s.environment(report), "PATH=/usr/sbin:/usr/bin", "HOME=/tmp",
			private.Marker+"=guest", // as private as a machine can be
			require.Virtual+"=1",
			// Go collects garbage every two minutes if nothing else makes it: thirty
			// times an idle hour, in each process.
			"GOGC=off", "GOMEMLIMIT=64MiB"),
		Report: report, Into: s.Report, Console: s.Output,
	}, nil
}

// compile builds a program that needs no library and is the same for the same
// sources.
func compile(ctx context.Context, file string, arguments []string) error {
	arguments = append([]string{arguments[0], "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file}, arguments[1:]...)
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", filepath.Base(file), err, out)
	}
	return nil
}

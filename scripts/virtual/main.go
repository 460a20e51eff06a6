// Command virtual runs the suites in a guest with virtual time (package
// harness/virtual): hours of waiting take seconds, and a seed fixes every bit of the
// run. It needs QEMU and no root.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// options are the command line.
type options struct {
	procs, memory int
	seed          uint64
	focus         string
	report        string
	kernel        string
}

func main() {
	var o options
	flag.IntVar(&o.procs, "procs", 32, "test processes that share the specs")
	flag.IntVar(&o.memory, "memory", 2048, "memory of the guest in MiB")
	flag.Uint64Var(&o.seed, "seed", 1, "decides the order of the specs and everything random")
	flag.StringVar(&o.focus, "focus", "", "only the specs whose text matches")
	flag.StringVar(&o.report, "report", "report", "directory for the report: it is emptied first")
	flag.StringVar(&o.kernel, "kernel", "", "a package of Debian (linux-image-6.12-cloud-amd64), or the file of a vmlinuz")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	status, err := run(ctx, o)
	if err != nil {
		fmt.Fprintf(os.Stderr, "virtual: %v\n", err)
		status = max(status, 1)
	}
	os.Exit(status)
}

func run(ctx context.Context, o options) (status int, err error) {
	directory, err := os.MkdirTemp("", "halfopen-virtual-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	guest, err := build(ctx, o, directory)
	if err != nil {
		return 1, err
	}
	if err := empty(o.report); err != nil {
		return 1, err
	}
	result, err := guest.Run(ctx)
	if err != nil {
		return 1, err
	}
	fmt.Printf("%.0f virtual seconds took %.1f s (%.1f s of processor time), with Linux %s.\n", result.Virtual.Seconds(), result.Wall.Seconds(), result.CPU.Seconds(), guest.Kernel.Release())
	return result.Status, writeWall(o.report, result)
}

// empty makes the report directory anew.
func empty(directory string) error {
	if err := os.RemoveAll(directory); err != nil {
		return fmt.Errorf("emptying the report directory: %w", err)
	}
	return os.MkdirAll(directory, 0o755)
}

// writeWall writes the figures that differ from run to run: everything else in the
// report is the same for the same seed, byte for byte.
func writeWall(directory string, result virtual.Result) error {
	content, err := json.MarshalIndent(struct {
		WallSeconds    float64 `json:"wall_seconds"`
		VirtualSeconds float64 `json:"virtual_seconds"`
		BootSeconds    float64 `json:"virtual_boot_seconds"`
	}{result.Wall.Seconds(), result.Virtual.Seconds(), result.Booted.Seconds()}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "wall.json"), append(content, '\n'), 0o644)
}

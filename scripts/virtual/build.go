package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// programs are what is built for the guest, and from what.
var programs = []struct {
	name  string
	build []string // arguments of the go command
}{
	{"init", []string{"build", "./harness/virtual/guest/init"}},
	{"ginkgo", []string{"build", "github.com/onsi/ginkgo/v2/ginkgo"}},
	{"suites.test", []string{"test", "-c", "./suites"}},
}

// build makes the guest: its programs, its kernel, its files.
func build(ctx context.Context, o options, directory string) (*virtual.Guest, error) {
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
	kernel, err := findKernel(ctx, o.kernel)
	if err != nil {
		return nil, err
	}
	return &virtual.Guest{
		Kernel: kernel, Init: filepath.Join(directory, "init"), Files: files,
		Memory: o.memory, Seed: o.seed,
		Command: ginkgo(o), Dir: "/suites",
		Env: []string{"PATH=/usr/sbin:/usr/bin", "HOME=/tmp", "HALFOPEN_REPORT=/report",
			private.Marker + "=guest", // as private as a machine can be
			require.Virtual + "=1",
			// Go collects garbage every two minutes if nothing else makes it: thirty
			// times an idle hour, in each process.
			"GOGC=off", "GOMEMLIMIT=64MiB",
		},
		Report: "/report", Into: o.report, Console: os.Stdout,
	}, nil
}

// ginkgo is the command that runs the suites in the guest.
func ginkgo(o options) []string {
	command := []string{"./ginkgo", "-procs=" + strconv.Itoa(o.procs), "-seed=" + strconv.FormatUint(o.seed, 10),
		"-randomize-all", "-fail-on-empty", "-keep-going", "-silence-skips", "-timeout=8760h",
		"-output-dir=/report", "-junit-report=junit.xml", "-json-report=ginkgo.json"}
	if info, err := os.Stdout.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		command = append(command, "-no-color")
	}
	if o.focus != "" {
		command = append(command, "-focus="+o.focus)
	}
	return append(command, "./suites.test")
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

package run

import (
	"context"
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// Program builds a package that is a program, runs it in a guest that has nothing else,
// and returns how many seconds that took, from the guest's start to its end.
func Program(ctx context.Context, want machine.Want, pkg string) (seconds float64, err error) {
	directory, err := os.MkdirTemp("", "halfopen-build-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	const name = "/program"
	files := &virtual.Files{}
	if err := addPrograms(ctx, files, directory, process1, program{name: name, build: []string{"build", pkg}}); err != nil {
		return 0, err
	}
	found, err := machine.Find(ctx, want, os.Stderr)
	if err != nil {
		return 0, err
	}
	guest := virtual.Guest{Machine: found, Files: files, Memory: 256, Seed: 1, Command: []string{name}, Dir: "/", Report: "/report"}
	result, err := guest.Run(ctx)
	if err == nil && result.Status != 0 {
		err = fmt.Errorf("%s ended with status %d", pkg, result.Status)
	}
	return result.Wall.Seconds(), err
}

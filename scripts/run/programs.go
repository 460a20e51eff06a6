package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// process1 is the guest's, and programs what it starts and what those start.
var (
	process1 = program{name: "/init", build: []string{"build", "github.com/halfopen-lab/halfopen/harness/virtual/guest/init"}}
	programs = []program{
		{name: "/suites/" + suitesBinary, build: []string{"test", "-c", "./suites"}},
		{name: "/usr/bin/diameter", module: "./fixtures/diameter", build: []string{"build", "."}},
	}
)

// suitesBinary is the file of the compiled suites.
const suitesBinary = "suites.test"

// program is a program that is built for the guest.
type program struct {
	name   string   // in the guest
	module string   // the folder of its module; empty: this one
	build  []string // arguments of the go command
}

// addPrograms builds programs in a directory and puts them into the guest. They need no
// library, and are the same for the same sources.
func addPrograms(ctx context.Context, files *virtual.Files, directory string, programs ...program) error {
	for _, p := range programs {
		file := filepath.Join(directory, filepath.Base(p.name))
		arguments := append([]string{p.build[0], "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file}, p.build[1:]...)
		cmd := inGroup(ctx, unix.SIGINT, "go", arguments...)
		cmd.Dir = p.module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s for the guest: %w\n%s", filepath.Base(p.name), err, out)
		}
		if err := files.Copy(p.name, file); err != nil {
			return err
		}
	}
	return nil
}

package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// process1 is the guest's, and suites what it starts, with the programs that those start.
var (
	process1 = program{"/init", []string{"build", "github.com/halfopen-lab/halfopen/harness/virtual/guest/init"}}
	suites   = []program{
		{"/suites/ginkgo", []string{"build", "github.com/onsi/ginkgo/v2/ginkgo"}},
		{"/suites/suites.test", []string{"test", "-c", "./suites"}},
		{"/usr/bin/diameter", []string{"build", "./fixtures/diameter"}},
	}
)

// program is a program that is built for the guest.
type program struct {
	name  string   // in the guest
	build []string // arguments of the go command
}

// addPrograms builds programs and puts them into the guest. They need no library, and
// are the same for the same sources.
func addPrograms(ctx context.Context, files *virtual.Files, programs ...program) error {
	directory, err := os.MkdirTemp("", "halfopen-build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	for _, p := range programs {
		file := filepath.Join(directory, filepath.Base(p.name))
		arguments := append([]string{p.build[0], "-trimpath", "-buildvcs=false", "-tags=guest", "-ldflags=-s -w -checklinkname=0", "-o", file}, p.build[1:]...)
		cmd := inGroup(ctx, unix.SIGINT, "go", arguments...)
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

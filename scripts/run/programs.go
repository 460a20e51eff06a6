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
		{name: "/usr/bin/diameter", build: []string{"build", "./fixtures/diameter"}, variables: unread()},
	}
)

// suitesBinary is the file of the compiled suites.
const suitesBinary = "suites.test"

// unread are the dictionaries of go-diameter for applications that the specs do not use.
// Each process reads them all when it starts: of the processor time of a whole run, that
// was the seventh part.
func unread() (variables []string) {
	for _, name := range []string{"gxcreditcontrol", "networkaccessserver", "tgpprorf", "tgpprx", "tgpps6a", "tgpps13", "tgppswx"} {
		variables = append(variables, "github.com/fiorix/go-diameter/v4/diam/dict."+name+"XML=<diameter></diameter>")
	}
	return variables
}

// program is a program that is built for the guest.
type program struct {
	name      string   // in the guest
	build     []string // arguments of the go command
	variables []string // PACKAGE.VARIABLE=VALUE, which the linker sets (cmd/link, -X)
}

// addPrograms builds programs in a directory and puts them into the guest. They need no
// library, and are the same for the same sources.
func addPrograms(ctx context.Context, files *virtual.Files, directory string, programs ...program) error {
	for _, p := range programs {
		file := filepath.Join(directory, filepath.Base(p.name))
		flags := "-ldflags=-s -w"
		for _, v := range p.variables {
			flags += " -X " + v
		}
		arguments := append([]string{p.build[0], "-trimpath", "-buildvcs=false", flags, "-o", file}, p.build[1:]...)
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

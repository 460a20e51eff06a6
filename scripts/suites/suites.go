// Package suites runs this project's suites, the package ./suites, by
// harness/virtual/gotest. What is special to them is here: the programs that their specs
// test, the step that is left out, the families.
//
// What is made of a run is the matter of the packages beside this one.
package suites

import (
	"cmp"
	"context"
	"errors"

	"github.com/halfopen-lab/halfopen/fixtures/installed"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Suites are the suites, compiled and ready to run any number of times. Close removes
// them. A later change of the sources does not reach them.
type Suites struct {
	tests *gotest.Tests
	run   func(ctx context.Context, s gotest.Settings, directory string) (*gotest.Report, error)
}

// Compile compiles the suites as every run does: the same bytes for the same sources, in
// whatever directory. It runs at the top of the repository.
func Compile(ctx context.Context, focus string) (*gotest.Tests, error) {
	return gotest.Compile(ctx, gotest.Config{
		Packages: []string{"./suites"}, Focus: focus, Environment: []string{"CGO_ENABLED=0"},
		Flags: []string{"-trimpath", "-args", "--ginkgo.randomize-all", "--ginkgo.fail-on-pending", "--ginkgo.silence-skips"},
	})
}

// OnHost prepares a run on the running kernel.
func OnHost(ctx context.Context, s Settings) (*Suites, error) {
	return prepare(ctx, s, func(tests *gotest.Tests) (*Suites, error) {
		host, err := tests.Host(ctx, gotest.HostConfig{Procs: cmp.Or(s.Procs, hostProcs)})
		if err != nil {
			return nil, err
		}
		return &Suites{tests, host.Run}, nil
	})
}

// InVirtualTime prepares a run in guests.
func InVirtualTime(ctx context.Context, s Settings) (*Suites, error) {
	return prepare(ctx, s, func(tests *gotest.Tests) (*Suites, error) {
		system, err := guestRoot(ctx)
		if err != nil {
			return nil, err
		}
		guests, err := tests.Virtual(ctx, gotest.VirtualConfig{Machine: s.Machine, Memory: cmp.Or(s.Memory, shard.Memory), Root: system})
		if err != nil {
			return nil, err
		}
		return &Suites{tests, guests.Run}, nil
	})
}

// prepare compiles the suites, and removes them if they cannot be prepared.
func prepare(ctx context.Context, s Settings, finish func(*gotest.Tests) (*Suites, error)) (*Suites, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	tests, err := Compile(ctx, s.Focus)
	if err != nil {
		return nil, err
	}
	suites, err := finish(tests)
	if err != nil {
		return nil, errors.Join(err, tests.Close())
	}
	return suites, nil
}

// Close removes the suites.
func (s *Suites) Close() error { return s.tests.Close() }

// Run runs the suites, and writes the report into a directory, which must be there. Failed
// specs are no error. When ctx ends there is an error, and a report of what was shown
// before, if there was anything.
func (s *Suites) Run(ctx context.Context, settings Settings, directory string) (*gotest.Report, error) {
	var only func(shard.Unit) bool
	if settings.Only != nil {
		only = func(u shard.Unit) bool { return settings.Only(u.Name) }
	}
	return s.run(ctx, gotest.Settings{
		Seed: settings.Seed, Lab: environment.Settings{LeaveOut: settings.LeaveOut, RecordMatrix: settings.Record}, Only: only, Shard: settings.Shard, AtOnce: settings.AtOnce,
		Output: settings.Output, Terminal: settings.Terminal, Ended: settings.Ended,
	}, directory)
}

// Conclude runs the suites as Run does. That nothing can be concluded from their specs is
// an error here.
func (s *Suites) Conclude(ctx context.Context, settings Settings, directory string) (*gotest.Report, error) {
	report, err := s.Run(ctx, settings, directory)
	if err == nil {
		err = report.Conclusive()
	}
	return report, err
}

// Recall sets what decided the specs of a run as the run was, of which the report of a
// shard tells.
func (s *Settings) Recall(run shard.Run) {
	s.Seed, s.Focus, s.LeaveOut = run.Seed, run.Focus, run.LeaveOut
}

// guestRoot is the root file system of the suites' guests.
func guestRoot(ctx context.Context) (*root.FileSystem, error) {
	system, err := root.New(ctx)
	if err != nil {
		return nil, err
	}
	for _, program := range []struct{ name, directory string }{
		{virtual.InitFile, "./harness/virtual/guest/init"}, {"/usr/bin/diameter", "./fixtures/diameter"}, // a module of its own
	} {
		if err := system.Files.Build(ctx, program.name, program.directory); err != nil {
			return nil, err
		}
	}
	var programs, packages []string
	for _, p := range installed.All() {
		programs, packages = append(programs, p.Name), append(packages, p.Package)
	}
	return system, debian.Put(ctx, system.Files, packages, programs...)
}

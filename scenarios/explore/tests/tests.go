// Package tests explores Go tests: it runs a test of any module again and again, and each time
// faults strike the lab that the test opens. The invariants are the test's own assertions.
//
// The test needs no line for it. Each run is a start of its binary in a guest with virtual time
// (harness/virtual/gotest), which is told by the environment what strikes (environment.Exploration).
package tests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Test names one Go test and says how it runs.
type Test struct {
	Packages []string // as for the go command; none: the package in the working directory
	Run      string   // a regular expression that the name of the test function matches, as go test -run
	Focus    string   // a regular expression that the text of the Ginkgo spec matches
	Flags    []string // others of go test
	// Environment is that of the test: NAME=VALUE.
	Environment []string
	Machine     machine.Want
	Memory      int      // of each guest, in MiB; zero: as much as the files need
	Take        []string // files and directories that the guests have (root.FileSystem.Take)
	// CableDelay is how long each cable of the lab takes; zero: DefaultCableDelay.
	CableDelay time.Duration
	// Limit is how long a run may last after the lab's first packet; zero: DefaultLimit.
	Limit time.Duration
	// Log receives what is said while a kernel is built. Nil: os.Stderr.
	Log io.Writer
}

// DefaultCableDelay is that of cables unless another one is asked for. A strike takes some two
// milliseconds of virtual time, and should be over while a packet is on a cable.
const DefaultCableDelay = 10 * time.Millisecond

// DefaultLimit is longer than Linux needs by default to give up an idle connection.
const DefaultLimit = 3 * time.Hour

// mostDelay is that of a satellite that is far away, and more than any network of today has.
const mostDelay = time.Second

// Check returns an error, in one line, if the test cannot be as it is described.
func (t Test) Check() error {
	for _, pattern := range []struct{ flag, value string }{{"run", t.Run}, {"focus", t.Focus}} {
		if err := commandline.CheckPattern(pattern.value); err != nil {
			return fmt.Errorf("%w (--%s)", err, pattern.flag)
		}
	}
	for _, what := range t.Take {
		if err := root.CheckTake(what); err != nil {
			return fmt.Errorf("%w (--take)", err)
		}
	}
	if err := (gotest.VirtualConfig{Machine: t.Machine, Memory: t.Memory}).Check(); err != nil {
		return fmt.Errorf("%w (--machine, --kernel, --memory)", err)
	}
	for _, variable := range t.Environment {
		if name, _, ok := strings.Cut(variable, "="); !ok || name == "" {
			return fmt.Errorf("%q is not NAME=VALUE (--env)", variable)
		}
	}
	switch {
	case t.Run == "" && t.Focus == "":
		return errors.New("name one test: --run '^TestName$', or --focus 'text of a Ginkgo spec'")
	case t.CableDelay < 0 || t.CableDelay > mostDelay:
		return fmt.Errorf("a cable that takes %v: choose up to %v (--cable-delay)", t.CableDelay, mostDelay)
	case t.Limit < 0:
		return fmt.Errorf("a limit of %v: choose a time such as 3h (--limit)", t.Limit)
	}
	return gotest.CheckFlags(t.Flags)
}

// Subject is a test that is compiled and ready to be explored. Close removes it.
type Subject struct {
	test    Test
	tests   *gotest.Tests
	virtual *gotest.Virtual
	unit    shard.Unit
}

// Open compiles a test, and finds what its guests need.
func Open(ctx context.Context, t Test) (*Subject, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	t.CableDelay, t.Limit = cmp.Or(t.CableDelay, DefaultCableDelay), cmp.Or(t.Limit, DefaultLimit)
	config := gotest.Config{Packages: t.Packages, Focus: t.Focus, Flags: t.Flags}
	if t.Run != "" {
		config.Flags = append([]string{"-run=" + t.Run}, t.Flags...)
	}
	tests, err := gotest.Compile(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &Subject{test: t, tests: tests}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, tests.Close())
	}
	return s, nil
}

func (s *Subject) prepare(ctx context.Context) error {
	system, err := root.New(ctx)
	if err != nil {
		return err
	}
	for _, what := range s.test.Take {
		if err := system.Take(what); err != nil {
			return err
		}
	}
	s.virtual, err = s.tests.Virtual(ctx, gotest.VirtualConfig{
		Machine: s.test.Machine, Memory: s.test.Memory, Root: system, Environment: s.test.Environment, Progress: s.test.Log,
	})
	if err != nil {
		return err
	}
	if s.unit, err = s.virtual.One(); err != nil {
		return fmt.Errorf("%w (--run, --focus)", err)
	}
	return nil
}

// Close removes what Open has compiled.
func (s *Subject) Close() error { return s.tests.Close() }

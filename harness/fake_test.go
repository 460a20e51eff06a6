package harness_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

// spec is a TB that keeps what a lab tells it: a test that may fail.
type spec struct {
	name     string
	cleanups []func()
	fatal    string   // what Fatalf said
	errors   []string // what Errorf said
	logs     []string // what Logf said
}

func (s *spec) Helper()                   {}
func (s *spec) Name() string              { return s.name }
func (s *spec) Failed() bool              { return s.fatal != "" || len(s.errors) > 0 }
func (s *spec) Cleanup(f func())          { s.cleanups = append(s.cleanups, f) }
func (s *spec) Logf(f string, a ...any)   { s.logs = append(s.logs, fmt.Sprintf(f, a...)) }
func (s *spec) Errorf(f string, a ...any) { s.errors = append(s.errors, fmt.Sprintf(f, a...)) }
func (s *spec) Fatalf(f string, a ...any) {
	s.fatal = fmt.Sprintf(f, a...)
	runtime.Goexit()
}

// run runs body as a spec of that name, until it ends or fails, and then the spec's clean-ups.
func run(name string, body func(*spec)) *spec {
	s := &spec{name: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(s)
	}()
	<-done
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
	return s
}

// complaint returns the first line of the text with which a spec fails.
func complaint(topology harness.Topology, body func(*harness.Lab)) string {
	s := run("complaint", func(s *spec) { body(harness.New(s, topology, sock.IPv4)) })
	line, _, _ := strings.Cut(s.fatal, "\n")
	return line
}

package audit

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// test is what a lab needs of a test (harness.TB), so that a trial that goes wrong ends
// alone, with an error.
type test struct {
	testName string

	mu       sync.Mutex
	cleanups []func()
	errs     []error
}

// try runs a function in a goroutine of its own, cleans up, and returns what went wrong.
func try(name string, do func(*test)) error {
	t := &test{testName: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.cleanUp()
		do(t)
	}()
	<-done
	return errors.Join(t.errs...)
}

func (t *test) cleanUp() {
	for len(t.cleanups) > 0 {
		last := len(t.cleanups) - 1
		do := t.cleanups[last]
		t.cleanups = t.cleanups[:last]
		do()
	}
}

// Helper implements harness.TB.
func (t *test) Helper() {}

// Name implements harness.TB.
func (t *test) Name() string { return t.testName }

// Failed implements harness.TB.
func (t *test) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.errs) > 0
}

// Cleanup implements harness.TB.
func (t *test) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Logf implements harness.TB. A lab logs evidence, which it also keeps in files.
func (t *test) Logf(string, ...any) {}

// Errorf implements harness.TB.
func (t *test) Errorf(format string, arguments ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errs = append(t.errs, fmt.Errorf(format, arguments...))
}

// Fatalf implements harness.TB.
func (t *test) Fatalf(format string, arguments ...any) {
	t.Errorf(format, arguments...)
	runtime.Goexit()
}

// must ends the trial when something has gone wrong.
func (t *test) must(err error) {
	if err != nil {
		t.Fatalf("%w", err)
	}
}

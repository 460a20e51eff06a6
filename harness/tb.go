package harness

import "fmt"

// TB has the methods of a test that a lab needs: those of *testing.T, *testing.B and Ginkgo's
// GinkgoT().
type TB interface {
	Helper()
	Name() string
	Failed() bool
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// noTest is the TB of a lab of Open.
type noTest struct{}

func (noTest) Helper()               {}
func (noTest) Name() string          { return "" }
func (noTest) Failed() bool          { return false }
func (noTest) Cleanup(func())        {}
func (noTest) Logf(string, ...any)   {}
func (noTest) Errorf(string, ...any) {}

// Fatalf ends the function given to Lab.Try.
func (noTest) Fatalf(format string, args ...any) {
	f := failure{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			f.causes = append(f.causes, err)
		}
	}
	panic(outsideTry{f})
}

// failure is the error of a step in a lab of Open.
type failure struct {
	text   string
	causes []error
}

func (f failure) Error() string   { return f.text }
func (f failure) Unwrap() []error { return f.causes }

// outsideTry is the panic of a step that fails in a lab of Open. Lab.Try recovers it. If the step
// was taken outside of Try, the program ends with its text.
type outsideTry struct{ failure }

func (o outsideTry) Error() string {
	return "a step of a lab failed outside of Lab.Try, which would have returned: " + o.text
}

// Try calls a function that takes steps in a lab of Open. The first step that fails ends the
// function, and Try returns its error. In a lab of New such a step ends the test instead. A step
// that fails in another goroutine, or outside of Try, ends the program with a panic.
func (l *Lab) Try(steps func()) (err error) {
	defer func() {
		switch caught := recover().(type) {
		case nil:
		case outsideTry:
			err = caught.failure
		default:
			panic(caught)
		}
	}()
	steps()
	return nil
}

package harness

import "fmt"

// TB is what a lab needs of a test: *testing.T, *testing.B and Ginkgo's GinkgoT()
// have it.
type TB interface {
	Helper()
	Name() string
	Failed() bool
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// noTest stands for the test in a lab of Open.
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

// failure is why a step failed in a lab of Open.
type failure struct {
	text   string
	causes []error
}

func (f failure) Error() string   { return f.text }
func (f failure) Unwrap() []error { return f.causes }

// outsideTry is a failure on its way to Lab.Try. Its text is for those who took the step
// elsewhere: the program ends with it.
type outsideTry struct{ failure }

func (o outsideTry) Error() string {
	return "a step of a lab failed outside of Lab.Try, which would have returned: " + o.text
}

// Try runs a function that takes steps, and returns the error of the first step that fails;
// that step ends the function. It is for a lab of Open. In a lab of New a step that fails
// ends the test instead. Steps that the function's own goroutines take are outside of Try:
// they end the program when they fail.
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

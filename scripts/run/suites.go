// Package run runs the suites by Ginkgo, on the running kernel or in virtual time,
// and reads what they report. What is made of it is the commands' beside it: suite,
// mutate, repeat, determinism, kernels, bench/guest.
package run

import (
	"cmp"
	"fmt"
	"io"
	"regexp"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// Suites is one run.
type Suites struct {
	Path     string    // on the running kernel: the folder of the suites, or their compiled binary; empty: ./suites
	Procs    int       // test processes that share the specs; zero: 32 on the running kernel, 16 in virtual time
	Seed     int64     // fixes the order of the specs, and in virtual time everything random
	Focus    string    // a regular expression: only the specs whose text matches; empty: all
	Only     []string  // the full texts of the specs to run, instead of a focus; empty: all
	LeaveOut string    // the step that every spec leaves out, as in "fault 1"; empty: none
	Record   bool      // the detection matrix is measured anew, and not compared
	Report   string    // the directory that receives junit.xml, ginkgo.json and the evidence of failed specs
	Output   io.Writer // what Ginkgo prints; nil: nowhere
	Colour   bool      // whether Output shows colours

	Machine machine.Want // in virtual time
	Memory  int          // in virtual time: MiB; zero: DefaultMemory
}

// Check says in one line what of the settings makes no sense.
func (s Suites) Check() error {
	if s.Procs < 0 || s.Procs > 1000 {
		return fmt.Errorf("%d test processes: choose from 1 to 1000 (PROCS)", s.Procs)
	}
	if s.Memory != 0 {
		if err := virtual.CheckMemory(s.Memory); err != nil {
			return fmt.Errorf("%w (MEMORY)", err)
		}
	}
	if err := s.Machine.Check(); err != nil {
		return fmt.Errorf("%w (MACHINE, KERNEL)", err)
	}
	if _, err := regexp.Compile(s.Focus); err != nil {
		return fmt.Errorf("the focus %q is not a regular expression: %w (FOCUS)", s.Focus, err)
	}
	return nil
}

// arguments are Ginkgo's, with that number of test processes unless the run has its
// own, for a report in that directory.
func (s Suites) arguments(procs int, report string) []string {
	arguments := []string{
		fmt.Sprintf("-procs=%d", cmp.Or(s.Procs, procs)), fmt.Sprintf("-seed=%d", s.Seed),
		"-randomize-all", "-keep-going", "-silence-skips", "-fail-on-pending", "-output-dir=" + report}
	if s.Focus != "" {
		arguments = append(arguments, "-focus="+s.Focus)
	}
	for _, text := range s.Only {
		arguments = append(arguments, "-focus="+regexp.QuoteMeta(text)+"$")
	}
	if !s.Colour {
		arguments = append(arguments, "-no-color")
	}
	return arguments
}

// environment is what package harness goes by.
func (s Suites) environment(report string) []string {
	environment := []string{harness.ReportDirectory + "=" + report}
	if s.LeaveOut != "" {
		environment = append(environment, harness.LeaveOut+"="+s.LeaveOut)
	}
	if s.Record {
		environment = append(environment, detection.Record+"=1")
	}
	return environment
}

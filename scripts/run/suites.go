// Package run runs the suites by Ginkgo, on the running kernel or in virtual time,
// and reads what they report. What is made of it is the commands' beside it: suite,
// mutate, repeat, determinism, kernels, bench/guest.
package run

import (
	"fmt"
	"io"
	"regexp"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// Suites is one run.
type Suites struct {
	Path     string    // on the running kernel: the folder of the suites, or their compiled binary; empty: ./suites
	Procs    int       // on the running kernel: test processes that share the specs; zero: 32
	Seed     int64     // fixes the order of the specs, and in virtual time everything random
	Focus    string    // a regular expression: only the specs whose text matches; empty: all
	Only     []string  // the full texts of the specs to run, instead of a focus; empty: all
	LeaveOut string    // the step that every spec leaves out, as in "fault 1"; empty: none
	Record   bool      // the detection matrix is measured anew, and not compared
	Report   string    // the directory that receives junit.xml, ginkgo.json and the evidence of failed specs
	Output   io.Writer // how the run comes along; nil: nowhere
	Colour   bool      // whether Output is a terminal, which shows colours

	Machine machine.Want // in virtual time
	Memory  int          // in virtual time: of each guest, in MiB; zero: shard.Memory
	Shard   int          // in virtual time: the one shard that runs; zero: all
	Ended   func()       // in virtual time: called when a spec has ended, if not nil
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

// environment is what the suites go by.
func (s Suites) environment(report, order string) environment.Settings {
	return environment.Settings{Report: report, LeaveOut: s.LeaveOut, RecordMatrix: s.Record, Order: order}
}

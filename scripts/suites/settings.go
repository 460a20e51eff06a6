package suites

import (
	"fmt"
	"io"

	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// Settings are those of a run of the suites. The zero value runs all specs.
type Settings struct {
	Procs    int       // on the running kernel: test processes that share the specs; zero: 32
	Seed     int64     // fixes the order of the specs, and in virtual time everything random
	Focus    string    // a regular expression: only the specs whose text matches; empty: all
	LeaveOut string    // the step that every spec leaves out, as in "fault 1"; empty: none
	Record   bool      // the detection matrix is measured anew, and not compared
	Report   string    // the directory that receives junit.xml, ginkgo.json and the evidence of failed specs
	Output   io.Writer // how the run comes along; nil: nowhere
	Terminal bool      // whether Output is a terminal

	Machine machine.Want // in virtual time
	Memory  int          // in virtual time: of each guest, in MiB; zero: shard.Memory
	Shard   int          // in virtual time: the one shard that runs; zero: all
	AtOnce  int          // in virtual time: how many guests run at once; zero: as many as there are cores

	Only  func(text string) bool // chooses some of the specs; nil: all run
	Ended func()                 // called when a spec has ended; nil: it is not
}

// hostProcs is how many test processes wait at once on the running kernel without being in
// each other's way.
const hostProcs = 32

// Check returns an error, in one line, if the settings make no sense. It names the
// variables of make.
func (s Settings) Check() error {
	if err := (gotest.HostConfig{Procs: s.Procs}).Check(); err != nil {
		return fmt.Errorf("%w (PROCS)", err)
	}
	if s.Memory != 0 {
		if err := virtual.CheckMemory(s.Memory); err != nil {
			return fmt.Errorf("%w (MEMORY)", err)
		}
	}
	if err := s.Machine.Check(); err != nil {
		return fmt.Errorf("%w (MACHINE, KERNEL)", err)
	}
	if err := commandline.CheckPattern(s.Focus); err != nil {
		return fmt.Errorf("%w (FOCUS)", err)
	}
	if s.Seed < 0 {
		return fmt.Errorf("the seed %d: choose 0 or more (SEED)", s.Seed)
	}
	return nil
}

// Flags declares the flags of every command that runs the suites.
func (s *Settings) Flags(flags *flag.FlagSet) {
	flags.IntVar(&s.Procs, "procs", 0, fmt.Sprintf("on the running kernel: test processes that share the specs (default %d)", hostProcs))
	flags.Int64Var(&s.Seed, "seed", 1, "fixes the order of the specs, and in virtual time everything random")
	flags.StringVar(&s.Focus, "focus", "", "a regular expression: only the specs whose text matches")
}

// GuestFlags declares what commands that run them in virtual time take as well.
func (s *Settings) GuestFlags(flags *flag.FlagSet) {
	flags.StringVar(&s.Machine.Name, "machine", "", "in virtual time: "+machine.NameUsage)
	flags.StringVar(&s.Machine.Kernel, "kernel", "", "in virtual time: "+machine.KernelUsage)
	flags.IntVar(&s.Memory, "memory", 0, fmt.Sprintf("in virtual time: the memory of each guest in MiB (default %d)", shard.Memory))
}

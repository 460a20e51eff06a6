// Package guest is process 1 of a virtual guest: it sets the machine up, runs the commands
// of its plan, hands the report out and switches the machine off.
//
// Package virtual starts the guest. The program is harness/virtual/guest/init.
package guest

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// PlanFile is where process 1 finds its Plan.
const PlanFile = "/etc/halfopen.json"

// Plan is what process 1 has to do.
type Plan struct {
	Modules     []Module // kernel modules, in the order in which to load them
	LateModules []Module // those for handing out the report, loaded only then
	Port        string   // the device that takes the report
	Seed        uint64   // of everything random
	Environment []string // of every command: NAME=VALUE
	Commands    []Command
	Report      string  // the directory that is handed out
	Roots       []*Root // root file systems for programs, each at its RootDirectory
	KeepChanges bool    // what the commands have changed in the first of Roots is handed out, too
}

// Command is a program that a guest runs. The commands of a plan run one after another,
// whatever their exit statuses.
type Command struct {
	Arguments   []string // the program, which is looked for in PATH, and its arguments
	Environment []string // NAME=VALUE, in addition to those of the plan
	Directory   string   // in which the command runs
	// InRoot runs the command in the first of the plan's Roots, with the powers of a program
	// (linux.LimitPrograms). The program's path must be absolute.
	InRoot bool
	// Output is the file that receives the standard output and error of the command. They
	// also go to the console. Empty: they go to the console alone.
	Output string
}

// Module is a kernel module to load.
type Module struct {
	File       string
	Parameters string // as for modprobe(8); empty: none
}

// Outcome is handed out first, as a line of JSON. A tar archive, compressed with gzip,
// follows with the report, and another one with the changes of the root if the plan keeps
// them.
type Outcome struct {
	// Commands has how each command ended. An interrupted guest does not start the rest.
	Commands []Ended
	Booted   float64 // virtual seconds from power-on to the start of the first command
	Seconds  float64 // virtual seconds from power-on to the end of the last command
	Trouble  string  `json:",omitempty"` // why a command could not be run
}

// Ended is how a command ended.
type Ended struct {
	Status int           // its exit status; 128 and the number of the signal that ended it
	Began  time.Time     // when it was started, on the guest's clock
	Took   time.Duration // from its start to its end, in virtual time
}

func readPlan() (*Plan, error) {
	content, err := os.ReadFile(PlanFile)
	if err != nil {
		return nil, err
	}
	plan := &Plan{}
	if err := json.Unmarshal(content, plan); err != nil {
		return nil, fmt.Errorf("reading %s: %w", PlanFile, err)
	}
	return plan, nil
}

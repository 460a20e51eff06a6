// Package guest is process 1 of a virtual guest: it sets the machine up, runs the
// commands of its plan, hands out the report and switches the machine off.
//
// Package harness/virtual starts it; harness/virtual/guest/init is its program.
package guest

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// PlanFile is where process 1 finds its Plan.
const PlanFile = "/etc/halfopen.json"

// Plan is what process 1 is to do.
type Plan struct {
	Modules     []Module // kernel modules, in the order in which to load them
	LateModules []Module // those for handing out the report, loaded only then
	Port        string   // the device that takes the report
	Seed        uint64   // decides everything random
	Environment []string // of every command: NAME=VALUE
	Commands    []Command
	Report      string // the directory that is handed out
	Root        *Root  // a root file system for programs; nil: process 1's own is theirs
	KeepChanges bool   // what the commands have changed in Root is handed out, too
}

// Command is a program that a guest runs. The commands of a plan run one after another,
// whatever the exit statuses of those before.
type Command struct {
	Arguments   []string // the program and its arguments; PATH is searched
	Environment []string // NAME=VALUE, in addition to that of the plan
	Directory   string   // where the command runs
	// InRoot runs the command in the plan's Root, with the powers of a program (linux.LimitPrograms).
	// The program's path must be absolute.
	InRoot bool
	// Output is a file that receives what the command prints on its standard output and
	// error, which also goes to the console. Empty: only the console receives it.
	Output string
}

// Module is a kernel module to load.
type Module struct {
	File       string
	Parameters string // as modprobe(8) takes them; empty: none
}

// Outcome is the first line that is handed out, as JSON; a tar archive, compressed with
// gzip, follows, and another one with the changes of the root, if the plan keeps them.
type Outcome struct {
	// Commands are those that have run. An interrupted guest does not start the rest.
	Commands []Ended
	Booted   float64 // virtual seconds from power-on to the start of the first command
	Seconds  float64 // virtual seconds from power-on to the end of the last command
	Trouble  string  `json:",omitempty"` // what kept a command from being run
}

// Ended is how a command ended.
type Ended struct {
	Status int           // its exit status; 128 and the signal's number when a signal ended it
	Began  time.Time     // by the guest's clock
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

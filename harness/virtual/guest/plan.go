// Package guest is process 1 of a virtual guest: it sets the machine up, runs one
// command, hands out the report and switches the machine off.
//
// Package harness/virtual starts it; harness/virtual/guest/init is its program.
package guest

import (
	"encoding/json"
	"fmt"
	"os"
)

// PlanFile is where process 1 finds its Plan.
const PlanFile = "/etc/halfopen.json"

// Plan is what process 1 is to do.
type Plan struct {
	Modules     []Module // kernel modules, in the order in which to load them
	LateModules []Module // those for handing out the report, loaded only then
	Port        string   // the device that takes the report
	Seed        uint64   // decides everything random
	Command     []string // the program and its arguments
	Environment []string // NAME=VALUE
	Directory   string   // where the command runs
	Report      string   // the directory that is handed out
}

// Module is a kernel module to load.
type Module struct {
	File       string
	Parameters string // as modprobe(8) takes them; empty: none
}

// Outcome is the first line that is handed out, as JSON; a tar archive, compressed with
// gzip, follows.
type Outcome struct {
	Status  int     // of the command; 128 and the signal's number when a signal ended it
	Booted  float64 // virtual seconds from power-on to the start of the command
	Seconds float64 // virtual seconds from power-on to the end of the command
	Trouble string  `json:",omitempty"` // what kept the command from being run
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

package box

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Order is what to run in a box.
type Order struct {
	Arguments   []string `json:"-"` // the program and its arguments: those of the box, too, in the process list
	Directory   string   // where the program starts
	Environment []string // NAME=VALUE: all that the program gets, and the user's HOME unless it is there
	User        string   // USER or USER:GROUP, names or numbers; empty: root
	// Root is the directory that is the program's root; empty: this machine's own. Process
	// 1 of a guest has mounted one at guest.RootDirectory.
	Root string
	// Files are those that the box shares with others, instead of files of its own over Root.
	// Nil: its own.
	Files *Files `json:"-"`
	Mark  Mark   // the zero value: none
	// Line is a regular expression; AwaitLine waits for a line of the program's output that
	// it matches. Empty: none is waited for.
	Line string
}

// Mark is a text that the box writes into a file before anything else. With the marker of
// a trace (trace_marker) as the file, the trace notes which process is the box: every
// process of the program descends from it.
type Mark struct{ File, Text string }

// sent is an order as the box gets it.
type sent struct {
	Order
	Shares bool // there are files on filesFD
}

// process is the box's own process.
const process reexec.Name = "box"

func init() { reexec.Register(process, run) }

// Command returns the command that runs the box. Start it on a host with
// harness.Host.Start, and read its events with AwaitExit and Output.
func (o Order) Command() (*exec.Cmd, error) {
	order, err := json.Marshal(sent{o, o.Files != nil})
	if err != nil {
		return nil, fmt.Errorf("writing the order for the box: %w", err)
	}
	cmd := reexec.Command(process, o.Arguments...)
	cmd.Stdin = bytes.NewReader(order)
	if o.Files != nil {
		cmd.ExtraFiles = []*os.File{o.Files.namespace}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		Setpgid:    true, // Ctrl-C is for the caller, which reads what the program does until the end
	}
	return cmd, nil
}

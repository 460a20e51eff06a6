package contained

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Order is what to run in a box.
type Order struct {
	Command     []string `json:"-"` // the arguments of the box, so that it is known by them
	Directory   string
	Environment []string // NAME=VALUE
	User        string   // empty: root
	Make        []Directory
	Mark        Mark
}

// Mark is what the box writes into a file before it does anything else: the marker of a
// trace, which notes who writes.
type Mark struct{ File, Text string }

// Directory is one that is made before the program starts.
type Directory struct {
	Path string
	Mode uint32
	User string
}

// The events of a box, beside those that the program may report itself.
const (
	Started = "started" // N: the program's process id inside the box
	Wrote   = "wrote"   // Text: a line
	Failed  = "failed"  // Text: why it could not be started
	Exited  = "exited"  // Text: how; N: how many processes it has left behind
	Flooded = "flooded" // it has written more lines than are kept
)

const fixture reexec.Name = "contained"

// variable is the environment variable with the order, but for the command.
const variable = "HALFOPEN_CONTAINED"

func init() { reexec.Register(fixture, run) }

// Command is the box, to be started on a host.
func Command(o Order) (*exec.Cmd, error) {
	content, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := reexec.Command(fixture, o.Command...)
	cmd.Env = append(cmd.Env, variable+"="+string(content))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC,
		Setpgid:    true, // Ctrl-C is for the audit, which then still reads what the program does
	}
	return cmd, nil
}

// Processes are those in the box of that process, without its own process 1, by their
// ids here.
func Processes(box int) ([]int, error) {
	own, err := os.Readlink(namespace(box))
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var inside []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == box {
			continue
		}
		// One that has ended meanwhile is not there.
		if its, err := os.Readlink(namespace(pid)); err == nil && its == own && !ended(pid) {
			inside = append(inside, pid)
		}
	}
	return inside, nil
}

func namespace(pid int) string { return filepath.Join("/proc", strconv.Itoa(pid), "ns", "pid") }

// ended says whether a process is a zombie (proc(5), /proc/pid/stat).
func ended(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

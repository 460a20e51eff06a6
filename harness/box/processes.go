package box

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Processes returns the process ids, as the caller sees them, of all processes in a box
// but the box's own; box is the box's process id (peer.Program.PID).
func Processes(box int) ([]int, error) {
	namespace := func(pid int) (string, error) { return os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)) }
	own, err := namespace(box)
	if err != nil {
		return nil, fmt.Errorf("looking for the processes of a box: %w", err)
	}
	all, err := processes()
	if err != nil {
		return nil, fmt.Errorf("looking for the processes of a box: %w", err)
	}
	var inside []int
	for _, pid := range all {
		// A process that has ended meanwhile has no namespace.
		if theirs, err := namespace(pid); err == nil && theirs == own && pid != box && !ended(pid) {
			inside = append(inside, pid)
		}
	}
	return inside, nil
}

// Signal sends a signal to every process of the program in a box.
func Signal(box int, s unix.Signal) error {
	inside, err := Processes(box)
	if err != nil {
		return err
	}
	for _, pid := range inside {
		if err := unix.Kill(pid, s); err != nil && err != unix.ESRCH {
			return fmt.Errorf("sending %v to process %d: %w", s, pid, err)
		}
	}
	return nil
}

// Running reports whether a process of the program in a box is running, or could run, in this
// instant (proc_pid_stat(5), state R); false for a box that cannot be read.
func Running(box int) bool {
	inside, _ := Processes(box) // a box that has ended runs nothing
	return slices.ContainsFunc(inside, func(pid int) bool { return state(pid) == "R" })
}

// Wakeups returns how often the threads of the program in a box have waited for something
// so far: each has woken up as often (proc_pid_status(5), voluntary_ctxt_switches).
func Wakeups(box int) (n int, err error) {
	inside, err := Processes(box)
	if err != nil {
		return 0, err
	}
	for _, pid := range inside {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if err != nil {
			return 0, err
		}
		for _, file := range threads {
			content, _ := os.ReadFile(file) // a thread that has ended waits for nothing
			for entry := range strings.Lines(string(content)) {
				if number, ok := strings.CutPrefix(entry, "voluntary_ctxt_switches:"); ok {
					times, _ := strconv.Atoi(strings.TrimSpace(number))
					n += times
				}
			}
		}
	}
	return n, nil
}

// processes returns the process ids in /proc.
func processes() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// ended reports whether a process is gone or a zombie.
func ended(pid int) bool {
	s := state(pid)
	return s == "" || s == "Z"
}

// state returns the letter of a process's state (proc_pid_stat(5)); "" for one that is gone.
func state(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	letter, _, _ := strings.Cut(after, " ")
	return letter
}

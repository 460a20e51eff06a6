// Package descendants ends what a process has started, directly or through others.
//
// Processes that must end with the one that starts them, however it ends, have a signal for that
// (PR_SET_PDEATHSIG, prctl(2)); programs of others do not pass it on to what they start.
package descendants

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Descendants are the processes that this one has started since Adopt, directly or through
// others.
type Descendants struct {
	others map[int]uint64 // children that were there before: when each was started
}

// Adopt makes this process the parent of descendants whose parent ends, so that Kill finds them
// (PR_SET_CHILD_SUBREAPER, prctl(2)).
func Adopt() (*Descendants, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("adopting orphaned descendants: %w", err)
	}
	d := &Descendants{others: map[int]uint64{}}
	children, err := childrenOfAll()
	if err != nil {
		return nil, fmt.Errorf("looking for children: %w", err)
	}
	for _, child := range children[unix.Getpid()] { // of a shell that has become this process
		d.others[child.PID] = child.Starttime
	}
	return d, nil
}

// patience bounds how long Kill takes: a process may hang in the kernel.
const patience = 5 * time.Second

// Kill kills the descendants, also those that they start meanwhile, and returns when none runs.
// Processes that this user may not kill stay.
func (d *Descendants) Kill() error {
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		all, err := d.running()
		if err != nil {
			return fmt.Errorf("looking for descendants: %w", err)
		}
		left := false
		for _, pid := range all {
			left = unix.Kill(pid, unix.SIGKILL) == nil || left
		}
		if !left {
			return nil
		}
	}
	return errors.New("some descendants were killed and have not ended")
}

// running returns the descendants that have not ended.
func (d *Descendants) running() ([]int, error) {
	children, err := childrenOfAll()
	if err != nil {
		return nil, err
	}
	var all []int
	for next := []int{unix.Getpid()}; len(next) > 0; next = next[1:] {
		for _, child := range children[next[0]] {
			if started, other := d.others[child.PID]; other && started == child.Starttime {
				continue
			}
			next = append(next, child.PID)
			if child.State != "Z" && child.State != "X" {
				all = append(all, child.PID)
			}
		}
	}
	return all, nil
}

// childrenOfAll returns the children of each process.
func childrenOfAll() (map[int][]procfs.ProcStat, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	processes, err := fs.AllProcs()
	if err != nil {
		return nil, err
	}
	children := map[int][]procfs.ProcStat{}
	for _, p := range processes {
		if stat, err := p.Stat(); err == nil { // it has not ended meanwhile
			children[stat.PPID] = append(children[stat.PPID], stat)
		}
	}
	return children, nil
}

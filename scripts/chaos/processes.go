package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The kernel counts the processes of an ordinary user (RLIMIT_NPROC, getrlimit(2)), but not those
// of root. For root there is the control group pids, which counts threads as well.

// root reports whether this user is root outside of its namespaces (user_namespaces(7)).
func root() bool {
	content, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(content))
	return err == nil && len(fields) > 1 && fields[1] == "0"
}

// groups are where the pids controller may be: version 1 and version 2.
var groups = []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}

// makeGroup makes a control group whose processes can be limited.
func makeGroup() (group string, err error) {
	for _, at := range groups {
		if group, err = os.MkdirTemp(at, "halfopen-chaos-"); err != nil {
			continue
		}
		if _, err = os.Stat(filepath.Join(group, "pids.max")); err == nil {
			return group, nil
		}
		_ = os.Remove(group) // it is empty
	}
	return "", fmt.Errorf("making a control group that limits processes: %w: run chaos as an ordinary user, or mount the controller pids in /sys/fs/cgroup", err)
}

// exhaust lets processes, and those that they have started meanwhile, start no other one, nor a
// thread.
func exhaust(group string, processes []int) (undo func() error, err error) {
	write := func(file, value string) error {
		f, err := os.OpenFile(filepath.Join(group, file), os.O_WRONLY, 0) // atomicfile is for files that are new
		if err != nil {
			return err
		}
		_, err = f.WriteString(value)
		return errors.Join(err, f.Close())
	}
	for _, pid := range processes {
		if err := write("cgroup.procs", strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
			return nil, fmt.Errorf("moving process %d to the control group: %w", pid, err)
		}
	}
	return func() error { return write("pids.max", "max") }, write("pids.max", "1")
}

// fewProcesses is a wrapper that leaves an ordinary user few processes.
func fewProcesses(random *rand.Rand) []string {
	return []string{"prlimit", "--nproc=" + strconv.Itoa(5+random.IntN(60)), "--"}
}

// others returns the processes of this pid namespace but this one.
func others() (pids []int) {
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		panic(err) // the pattern is malformed
	}
	for _, directory := range directories {
		if pid, err := strconv.Atoi(strings.TrimPrefix(directory, "/proc/")); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

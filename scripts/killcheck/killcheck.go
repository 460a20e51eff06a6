// Package killcheck kills the suites with SIGKILL at ten moments of a run, and
// checks each time that nothing is left: no process, no network namespace, and the
// machine's own links, packet filter rules and sysctls byte for byte as before.
package killcheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	flag "github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/virtual/gotest"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

const procs = 16

// Command is the command killcheck.
func Command(ctx context.Context, arguments []string) (clean bool, err error) {
	flags := flag.NewFlagSet("killcheck", flag.ContinueOnError)
	moments := flags.Int("moments", 10, "how often to kill")
	if err := suites.Parse(flags, arguments); err != nil {
		return false, err
	}
	ginkgo, err := gotest.GinkgoCommand(ctx, ".")
	if err != nil {
		return false, err
	}
	directory, err := os.MkdirTemp("", "halfopen-killcheck-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	tests, err := suites.Compile(ctx, "")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, tests.Close()) }()
	binary := tests.Binaries()[0]
	before, err := machine()
	if err != nil {
		return false, err
	}
	for moment := range *moments {
		// From the first labs being built to many specs in the middle of a fault.
		after := 700*time.Millisecond + time.Duration(moment)*600*time.Millisecond
		who, err := kill(ctx, ginkgo, binary, directory, after, moment)
		if err != nil {
			return false, err
		}
		if err := settled(binary, before); err != nil {
			return false, fmt.Errorf("%s was killed after %v: %w", who, after, err)
		}
		if ctx.Err() != nil {
			return false, nil
		}
		fmt.Printf("killed %-40s after %4.1f s: nothing is left\n", who, after.Seconds())
	}
	return true, nil
}

// kill starts the suites and kills, some time later, all that Ginkgo started, or
// Ginkgo itself, or one test process and then Ginkgo. When ctx ends, Ginkgo is killed
// as well, at once.
func kill(ctx context.Context, ginkgo, binary, directory string, after time.Duration, moment int) (who string, err error) {
	cmd := exec.CommandContext(ctx, ginkgo, fmt.Sprintf("-procs=%d", procs), "-output-dir="+directory, binary)
	cmd.Env = append(os.Environ(), environment.Settings{Report: directory}.Variables()...)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() { _ = cmd.Wait() }()
	tests, err := started(ctx, cmd.Process.Pid, binary)
	if err != nil {
		_ = cmd.Process.Kill() // it would go on to the suites' end
		return "", err
	}
	select {
	case <-time.After(after):
	case <-ctx.Done():
	}
	signal := func(pids ...int) {
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL) // it may just have ended
		}
	}
	switch moment % 3 {
	case 0:
		signal(cmd.Process.Pid)
		return "ginkgo", nil
	case 1:
		signal(tests...)
		signal(cmd.Process.Pid)
		return fmt.Sprintf("all %d test processes, then ginkgo", len(tests)), nil
	default:
		signal(tests[0])
		time.Sleep(200 * time.Millisecond)
		signal(cmd.Process.Pid)
		return "one test process, then ginkgo", nil
	}
}

// started waits until all test processes of a Ginkgo run, and returns them.
func started(ctx context.Context, ginkgo int, binary string) (tests []int, err error) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		tests = nil
		for _, p := range processes() {
			if p.command == binary && p.parent == ginkgo {
				tests = append(tests, p.pid)
			}
		}
		if len(tests) == procs {
			return tests, nil
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("only %d of %d test processes were started in 30 s", len(tests), procs)
}

// settled waits until everything that the suites made is gone. The kernel removes
// a namespace some time after its last process.
func settled(binary string, before []byte) error {
	var left error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if left = remains(binary, before); left == nil {
			return nil
		}
	}
	return left
}

func remains(binary string, before []byte) error {
	for _, p := range processes() {
		if p.command == binary || strings.HasPrefix(p.command, "halfopen-") {
			return fmt.Errorf("process %d is left: %s", p.pid, p.command)
		}
	}
	after, err := machine()
	if err != nil {
		return err
	}
	if !bytes.Equal(before, after) {
		return fmt.Errorf("the machine is not as before:\n%s", difference(before, after))
	}
	return nil
}

type process struct {
	pid, parent int
	command     string // its first argument
}

func processes() []process {
	directories, _ := filepath.Glob("/proc/[0-9]*")
	var all []process
	for _, directory := range directories {
		pid, _ := strconv.Atoi(filepath.Base(directory))
		stat, err := os.ReadFile(filepath.Join(directory, "stat"))
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		parent, _ := strconv.Atoi(fields[1])
		arguments, _ := os.ReadFile(filepath.Join(directory, "cmdline"))
		command, _, _ := strings.Cut(string(arguments), "\x00")
		all = append(all, process{pid, parent, command})
	}
	slices.SortFunc(all, func(a, b process) int { return a.pid - b.pid })
	return all
}

// machine is what must not change: the links, rules and network sysctls of the
// namespace this program runs in, and the namespaces that have a name. One that has
// none goes when its last process and its last connection are gone.
func machine() ([]byte, error) {
	var state bytes.Buffer
	for _, command := range []string{"iptables-save", "ip6tables-save"} {
		path, err := firewall.Tool(command)
		if err != nil {
			return nil, err
		}
		out, err := exec.Command(path).Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
		for line := range strings.Lines(string(out)) {
			if !strings.HasPrefix(line, "#") { // comments have the time
				fmt.Fprintf(&state, "%s: %s", command, line)
			}
		}
	}
	links, _ := filepath.Glob("/sys/class/net/*")
	named, _ := filepath.Glob("/run/netns/*")
	fmt.Fprintf(&state, "links: %v\nnamed namespaces: %v\n", links, named)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "nsfs") { // a mount keeps a namespace that no process holds
			fmt.Fprintf(&state, "mounted namespace: %s", line)
		}
	}
	err = sysctls(&state)
	return state.Bytes(), err
}

// sysctls appends every network sysctl, but the number of tracked connections.
func sysctls(state *bytes.Buffer) error {
	return filepath.WalkDir("/proc/sys/net", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "nf_conntrack_count") {
			return err
		}
		if value, err := os.ReadFile(path); err == nil { // some are write-only
			fmt.Fprintf(state, "%s: %s", path, value)
		}
		return nil
	})
}

func difference(before, after []byte) string {
	was, is := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	var b strings.Builder
	for _, line := range was {
		if !slices.Contains(is, line) {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			fmt.Fprintf(&b, "+ %s\n", line)
		}
	}
	return b.String()
}

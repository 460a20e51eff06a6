package private_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// The programs that call private.Main.
const (
	exiting reexec.Name = "exiting" // exits with 7
	dying   reexec.Name = "dying"   // dies by SIGABRT
	dialing reexec.Name = "dialing" // prints what it reads from the address of its last argument
)

func TestMain(m *testing.M) {
	reexec.Register(exiting, func([]string) error { private.Main(func() int { return 7 }); return nil })
	reexec.Register(dying, func([]string) error { private.Main(func() int { abort(); return 0 }); return nil })
	reexec.Register(dialing, func([]string) error { private.Main(dial); return nil })
	reexec.Main()
	private.Main(m.Run)
}

// abort ends the process by SIGABRT, at which Go prints its stacks.
func abort() {
	_ = unix.Kill(unix.Getpid(), unix.SIGABRT)
	select {}
}

// outside returns the command that runs a program outside private namespaces.
func outside(name reexec.Name) *exec.Cmd {
	cmd := reexec.Command(name)
	cmd.Env = append(cmd.Env, environment.Private+"=")
	return cmd
}

// output runs a command and returns what it printed and its exit status.
func output(cmd *exec.Cmd) (text string, status int) {
	out, _ := cmd.CombinedOutput() // the exit status has the result
	return string(out), cmd.ProcessState.ExitCode()
}

func TestTheProgramIsTheFirstProcessAndRoot(t *testing.T) {
	if !private.Here() || os.Getpid() != 1 || os.Geteuid() != 0 {
		t.Errorf("Here is %v, the process id %d, the user %d; expected true, 1 and 0", private.Here(), os.Getpid(), os.Geteuid())
	}
	if name, err := os.Readlink("/proc/self"); name != "1" {
		t.Errorf("/proc/self is %q (%v): it is not of this pid namespace", name, err)
	}
}

func TestTheExitStatusComesThrough(t *testing.T) {
	if out, status := output(outside(exiting)); status != 7 || out != "" {
		t.Errorf("exit status %d, output %q; expected 7 and none", status, out)
	}
}

func TestADeathComesThrough(t *testing.T) {
	out, status := output(outside(dying))
	if status == 0 || !strings.Contains(out, "SIGABRT: abort") {
		t.Errorf("exit status %d, output %q; expected a failure that names SIGABRT", status, out)
	}
}

// user_namespaces(7): the limits under /proc/sys/user are each user namespace's own.
func TestWithoutTheRightToMakeNamespacesOneLineSaysWhatToDo(t *testing.T) {
	self, err := os.Executable() // /proc/self/exe is another program in the shell
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--user", "--map-root-user", "sh", "-c", `echo 0 > /proc/sys/user/max_pid_namespaces && exec "$0"`, self)
	cmd.Env = outside(exiting).Env
	out, status := output(cmd)
	if status != 1 || strings.Count(out, "\n") != 1 ||
		!strings.HasPrefix(out, "halfopen: making private namespaces: ") || !strings.Contains(out, "sysctl user.max_user_namespaces") {
		t.Errorf("exit status %d, output %q; expected 1 and one line with the remedy", status, out)
	}
}

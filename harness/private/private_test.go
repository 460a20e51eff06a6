package private_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/private"
)

// role, in the environment, makes this binary run something else than its tests.
const role = "HALFOPEN_PRIVATE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "exit 7":
		private.Main(func() int { return 7 })
	case "die":
		private.Main(func() int { abort(); return 0 })
	}
	private.Main(m.Run)
}

// abort ends the process by SIGABRT, to which Go prints its stacks.
func abort() {
	_ = unix.Kill(unix.Getpid(), unix.SIGABRT)
	select {}
}

// again runs this binary as a program that is not in private namespaces yet.
func again(name string, wrapper ...string) (output string, status int) {
	arguments := append(wrapper, "/proc/self/exe")
	cmd := exec.Command(arguments[0], arguments[1:]...)
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "HALFOPEN_PRIVATE") {
			cmd.Env = append(cmd.Env, setting)
		}
	}
	cmd.Env = append(cmd.Env, role+"="+name, "SELF="+self())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the status tells
	return out.String(), cmd.ProcessState.ExitCode()
}

func self() string {
	path, _ := os.Executable()
	return path
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
	if out, status := again("exit 7"); status != 7 || out != "" {
		t.Errorf("exit status %d, output %q; expected 7 and none", status, out)
	}
}

func TestADeathComesThrough(t *testing.T) {
	out, status := again("die")
	if status == 0 || !strings.Contains(out, "SIGABRT: abort") {
		t.Errorf("exit status %d, output %q; expected a failure that names SIGABRT", status, out)
	}
}

// user_namespaces(7): the limits under /proc/sys/user are each user namespace's own.
func TestWithoutTheRightToMakeNamespacesOneLineSaysWhatToDo(t *testing.T) {
	out, status := again("exit 7", "unshare", "--user", "--map-root-user", "sh", "-c", `echo 0 > /proc/sys/user/max_pid_namespaces && exec "$SELF"`)
	if status != 1 || strings.Count(out, "\n") != 1 ||
		!strings.HasPrefix(out, "halfopen: making private namespaces: ") || !strings.Contains(out, "sysctl user.max_user_namespaces") {
		t.Errorf("exit status %d, output %q; expected 1 and one line with the remedy", status, out)
	}
}

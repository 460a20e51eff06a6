package kernel

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func sh(script string) *exec.Cmd { return exec.Command("/bin/sh", "-c", script) }

func TestProgramsReadFromEachOther(t *testing.T) {
	var out bytes.Buffer
	last := sh("tr a-z A-Z")
	last.Stdout = &out
	if err := run(t.Context(), sh("echo one; echo two"), sh("grep two"), last); err != nil || out.String() != "TWO\n" {
		t.Errorf("%q, %v", &out, err)
	}
}

func TestTheProgramThatFailedFirstIsNamed(t *testing.T) {
	for _, c := range []struct {
		what     string
		programs []*exec.Cmd
		want     string
	}{
		{"the first", []*exec.Cmd{sh("exit 3"), sh("cat >/dev/null")}, "/bin/sh: exit status 3"},
		{"the last, which reads no more", []*exec.Cmd{sh("exec yes"), sh("exit 4")}, "/bin/sh: exit status 4"},
		{"one that is not there", []*exec.Cmd{sh("sleep 1000"), exec.Command("/no/such")}, "starting /no/such: fork/exec /no/such: no such file or directory"},
	} {
		if err := run(t.Context(), c.programs...); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, expected %s", c.what, err, c.want)
		}
	}
}

// talker says its number and that of a child, and sleeps.
const talker = "sleep 1000 & echo $$ $!; wait"

// gone waits until no process has one of the numbers that a talker said.
func gone(t *testing.T, said string) {
	t.Helper()
	numbers := strings.Fields(said)
	if len(numbers) != 2 {
		t.Fatalf("it said %q", said)
	}
	for _, number := range numbers {
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); !dead(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d still runs", pid)
			}
		}
	}
}

// dead says whether a process has ended, perhaps unnoticed by its parent.
func dead(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// firstLine passes on the first line that is written.
type firstLine chan string

func (f firstLine) Write(p []byte) (int, error) {
	f <- string(p)
	return len(p), nil
}

func TestAnEndedContextEndsWhatTheProgramsStarted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	line := make(firstLine, 1)
	cmd := sh(talker)
	cmd.Stdout = line
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cmd) }()
	said := <-line
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("the error is %v", err)
	}
	gone(t, said)
}

// dying is set in the process that TestSIGKILLEndsWhatTheProgramsStarted kills.
const dying = "HALFOPEN_KERNEL_TEST_DYING"

func TestSIGKILLEndsWhatTheProgramsStarted(t *testing.T) {
	if os.Getenv(dying) != "" {
		cmd := sh(talker)
		cmd.Stdout = os.Stdout
		_ = run(t.Context(), cmd)
		return
	}
	self := exec.Command("/proc/self/exe", "-test.run=^TestSIGKILLEndsWhatTheProgramsStarted$")
	self.Env = append(os.Environ(), dying+"=1")
	line := make(firstLine, 1)
	self.Stdout = line
	if err := self.Start(); err != nil {
		t.Fatal(err)
	}
	said := <-line
	if err := self.Process.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = self.Wait() // it was killed
	gone(t, said)
}

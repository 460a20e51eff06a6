package reexec_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// withoutMain, in the environment, makes this binary one that does not call Main, and
// starts a program all the same.
const withoutMain = "HALFOPEN_REEXEC_TEST_WITHOUT_MAIN"

func TestMain(m *testing.M) {
	reexec.Register("failing", func([]string) error { return errors.New("no disk") })
	reexec.Register("printing", func(arguments []string) error {
		_, still := os.LookupEnv(reexec.Variable)
		fmt.Println(arguments, still)
		return nil
	})
	reexec.Register("repeating", func(arguments []string) error {
		if os.Getenv("TURN") == "2" {
			fmt.Println("again", arguments)
			return nil
		}
		cmd := reexec.Again()
		cmd.Env = append(cmd.Env, "TURN=2")
		cmd.Stdout = os.Stdout
		return cmd.Run()
	})
	if os.Getenv(withoutMain) != "" {
		fmt.Println(reexec.Command("printing").Run())
		os.Exit(0)
	}
	reexec.Main()
	os.Exit(m.Run())
}

// output runs a command and returns what it printed and its exit status.
func output(cmd *exec.Cmd) (text string, status int) {
	out, _ := cmd.CombinedOutput() // the status tells
	return string(out), cmd.ProcessState.ExitCode()
}

func TestAProgramGetsItsArgumentsAndNotTheVariable(t *testing.T) {
	cmd := reexec.Command("printing", "-test.run", "x")
	if cmd.Args[0] != "halfopen-printing" {
		t.Errorf("in the process list it is %q", cmd.Args[0])
	}
	if out, status := output(cmd); out != "[-test.run x] false\n" || status != 0 {
		t.Errorf("it printed %q and exited with %d", out, status)
	}
}

func TestTheErrorOfAProgramIsPrinted(t *testing.T) {
	if out, status := output(reexec.Command("failing")); out != "failing: no disk\n" || status != 1 {
		t.Errorf("it printed %q and exited with %d", out, status)
	}
}

func TestAProgramRunsItselfAgain(t *testing.T) {
	if out, status := output(reexec.Command("repeating", "one", "two")); out != "again [one two]\n" || status != 0 {
		t.Errorf("it printed %q and exited with %d", out, status)
	}
}

func TestAProgramThatIsNotRegisteredIsNotStarted(t *testing.T) {
	err := reexec.Command("nonesuch").Start()
	if want := `there is no program "nonesuch" in this binary, which has failing, printing, repeating: import the package that registers it`; err == nil || err.Error() != want {
		t.Errorf("Start: %v, expected %s", err, want)
	}
}

func TestTheVariableSetByHand(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), reexec.Variable+"=nonesuch")
	out, status := output(cmd)
	if want := `halfopen: there is no program "nonesuch" in this binary, which has failing, printing, repeating: HALFOPEN_PROGRAM is set by halfopen alone, unset it` + "\n"; out != want || status != 2 {
		t.Errorf("it printed %q and exited with %d, expected %q and 2", out, status, want)
	}
}

func TestWithoutMainNothingIsStarted(t *testing.T) {
	cmd := reexec.Again()
	cmd.Env = append(cmd.Env, withoutMain+"=1")
	if out, _ := output(cmd); !strings.HasSuffix(out, "call harness.Main first thing in main or TestMain\n") || strings.Count(out, "\n") != 1 {
		t.Errorf("it printed %q", out)
	}
}

func TestTwoProgramsOfOneName(t *testing.T) {
	defer func() {
		if said := recover(); said != `two programs are registered as "printing"` {
			t.Errorf("it panicked with %v", said)
		}
	}()
	reexec.Register("printing", nil)
}

// Package reexec is the registry of the programs inside the running binary: fixtures,
// toxiproxy's server, the box of a program under test. A program is started by running
// the binary again, with one environment variable that names it, so nothing has to be
// built or installed for it.
//
// What a program does lives in the package that registers it. Package peer starts it on
// a host of a lab.
package reexec

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Name names a program inside this binary. It stands in messages, and after "halfopen-"
// in the process list. The package that registers a program declares its name as a
// constant, which those who start it use.
type Name string

// Variable is the environment variable that names the program that a process is to
// become. Command sets it. Main removes it, so that the programs that a program starts do
// not become the same one. An order that is too long for arguments goes to the program's
// standard input.
const Variable = "HALFOPEN_PROGRAM"

// executable is the running binary, also after its file was replaced or removed
// (proc_pid_exe(5)).
const executable = "/proc/self/exe"

var (
	programs   = map[Name]func(arguments []string) error{}
	mainCalled bool
	running    Name // the program that this process is; empty: the binary as a whole
)

// Register registers a program. Call it from an init function, or in TestMain before
// Main. An error that run returns is printed to standard error, and the process then
// exits with 1. Register panics if the name is taken.
func Register(name Name, run func(arguments []string) error) {
	if _, taken := programs[name]; taken {
		panic(fmt.Sprintf("two programs are registered as %q", name))
	}
	programs[name] = run
}

// Main runs the program that this process was started as, and does not return. In a
// process that was started as the whole binary it returns at once. Call it first thing
// in main or TestMain, before flags are parsed; harness.Main does.
//
// The process exits with 0, with 1 if the program returns an error, and with 2 if this
// binary has no program of that name.
func Main() {
	mainCalled = true
	name, named := os.LookupEnv(Variable)
	if !named {
		return
	}
	_ = os.Unsetenv(Variable) // fails for names that no variable can have
	running = Name(name)
	if !Registered(running) {
		fmt.Fprintf(os.Stderr, "halfopen: %v: %s is set by halfopen alone, unset it\n", unknown(running), Variable)
		os.Exit(2)
	}
	if err := programs[running](os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Registered reports whether this binary has a program of that name.
func Registered(name Name) bool { return programs[name] != nil }

// Command returns the command that runs a registered program. If it cannot be run
// because this binary does not call Main, or has no such program, the command's Err says
// so, and its Start fails.
func Command(name Name, arguments ...string) *exec.Cmd {
	cmd := command(name, arguments)
	cmd.Args[0] = "halfopen-" + string(name)
	cmd.Err = check(name)
	return cmd
}

// Again returns the command that runs what this process runs, with the same arguments:
// the whole binary, or the program that Main has made of it.
func Again() *exec.Cmd {
	cmd := command(running, os.Args[1:])
	cmd.Args[0] = os.Args[0]
	return cmd
}

func command(name Name, arguments []string) *exec.Cmd {
	cmd := exec.Command(executable, arguments...)
	cmd.Env = os.Environ()
	if name != "" {
		cmd.Env = append(cmd.Env, Variable+"="+string(name))
	}
	return cmd
}

// check returns why a program cannot be started.
func check(name Name) error {
	if !mainCalled {
		return fmt.Errorf("the program %q is this binary, which would run as a whole again: call harness.Main first thing in main or TestMain", name)
	}
	if !Registered(name) {
		return fmt.Errorf("%w: import the package that registers it", unknown(name))
	}
	return nil
}

func unknown(name Name) error {
	if len(programs) == 0 {
		return fmt.Errorf("there is no program %q in this binary, which has none", name)
	}
	var names []string
	for _, n := range slices.Sorted(maps.Keys(programs)) {
		names = append(names, string(n))
	}
	return fmt.Errorf("there is no program %q in this binary, which has %s", name, strings.Join(names, ", "))
}
